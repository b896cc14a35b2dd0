"""The calls about parameters to and from XML: values, names, attributes (TR-069 Amendment 6 annex A.3.2)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from netprov.cwmp import rpc, soap


def decode_values(element: Element) -> tuple[rpc.ParameterValue, ...]:
    """Read the ParameterList of values; they keep their white space, names do not."""
    found = []
    for each in soap.children(soap.child(element, "ParameterList"), "ParameterValueStruct"):
        value = soap.child(each, "Value")
        content = "" if value is None else value.text or ""
        found.append(rpc.ParameterValue(soap.text(each, "Name"), content, _type(value)))
    return tuple(found)


def encode_values(element: Element, parameters: tuple[rpc.ParameterValue, ...]) -> None:
    """Add a ParameterList of values."""
    array = soap.add_array(element, "ParameterList", "cwmp:ParameterValueStruct", len(parameters))
    for parameter in parameters:
        entry = soap.add(array, "ParameterValueStruct")
        soap.add(entry, "Name", parameter.name)
        soap.add(entry, "Value", parameter.value).set("xsi:type", parameter.type)


def _type(value: Element | None) -> str:
    """Return the type of a value with the prefix xsd, whatever its prefix was.

    Quirk: devices write `xsd:string`, `xs:string` or `string`, in quotes of either kind, with `type` in any
    namespace; a value must not be lost for it.
    """
    if value is None:
        return "xsd:string"
    said = next((text for key, text in value.attrib.items() if key.rpartition("}")[2] == "type"), "")
    local = said.strip().rpartition(":")[2]
    return f"xsd:{local}" if local else "xsd:string"


def decode_strings(element: Element, array: str) -> tuple[str, ...]:
    """Read an array of strings."""
    return tuple((each.text or "").strip() for each in soap.children(soap.child(element, array)))


def encode_strings(element: Element, array: str, texts: tuple[str, ...]) -> None:
    """Add an array of strings."""
    parent = soap.add_array(element, array, "xsd:string", len(texts))
    for text in texts:
        soap.add(parent, "string", text)


def decode_names(element: Element) -> rpc.GetParameterNamesResponse:
    """Read GetParameterNamesResponse."""
    return rpc.GetParameterNamesResponse(
        tuple(
            (soap.text(each, "Name"), soap.boolean(soap.text(each, "Writable", "0")))
            for each in soap.children(soap.child(element, "ParameterList"), "ParameterInfoStruct")
        )
    )


def encode_names(element: Element, response: rpc.GetParameterNamesResponse) -> None:
    """Fill GetParameterNamesResponse."""
    array = soap.add_array(element, "ParameterList", "cwmp:ParameterInfoStruct", len(response.names))
    for name, writable in response.names:
        entry = soap.add(array, "ParameterInfoStruct")
        soap.add(entry, "Name", name)
        soap.add(entry, "Writable", str(int(writable)))


def encode_set(element: Element, request: rpc.SetParameterValues) -> None:
    """Fill SetParameterValues."""
    encode_values(element, request.parameters)
    soap.add(element, "ParameterKey", request.parameter_key)


def encode_get_names(element: Element, request: rpc.GetParameterNames) -> None:
    """Fill GetParameterNames."""
    soap.add(element, "ParameterPath", request.path)
    soap.add(element, "NextLevel", str(int(request.next_level)))


def decode_attributes(element: Element) -> rpc.GetParameterAttributesResponse:
    """Read GetParameterAttributesResponse."""
    return rpc.GetParameterAttributesResponse(
        tuple(
            rpc.Attributes(
                soap.text(each, "Name"),
                soap.number(each, "Notification", 0),
                decode_strings(each, "AccessList"),
            )
            for each in soap.children(soap.child(element, "ParameterList"), "ParameterAttributeStruct")
        )
    )


def encode_attributes(element: Element, response: rpc.GetParameterAttributesResponse) -> None:
    """Fill GetParameterAttributesResponse."""
    array = soap.add_array(
        element, "ParameterList", "cwmp:ParameterAttributeStruct", len(response.attributes)
    )
    for each in response.attributes:
        entry = soap.add(array, "ParameterAttributeStruct")
        soap.add(entry, "Name", each.name)
        soap.add(entry, "Notification", str(each.notification))
        encode_strings(entry, "AccessList", each.access)


def decode_new_attributes(element: Element) -> rpc.SetParameterAttributes:
    """Read SetParameterAttributes."""
    return rpc.SetParameterAttributes(
        tuple(
            rpc.NewAttributes(
                soap.text(each, "Name"),
                soap.number(each, "Notification") if _changes(each, "NotificationChange") else None,
                decode_strings(each, "AccessList") if _changes(each, "AccessListChange") else None,
            )
            for each in soap.children(soap.child(element, "ParameterList"), "SetParameterAttributesStruct")
        )
    )


def encode_new_attributes(element: Element, request: rpc.SetParameterAttributes) -> None:
    """Fill SetParameterAttributes."""
    array = soap.add_array(
        element, "ParameterList", "cwmp:SetParameterAttributesStruct", len(request.attributes)
    )
    for each in request.attributes:
        entry = soap.add(array, "SetParameterAttributesStruct")
        soap.add(entry, "Name", each.name)
        soap.add(entry, "NotificationChange", str(int(each.notification is not None)))
        soap.add(entry, "Notification", str(each.notification or 0))
        soap.add(entry, "AccessListChange", str(int(each.access is not None)))
        encode_strings(entry, "AccessList", each.access or ())


def _changes(element: Element, flag: str) -> bool:
    return soap.boolean(soap.text(element, flag, "0"))
