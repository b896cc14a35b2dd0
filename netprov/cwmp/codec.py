"""Each remote procedure call of CWMP to and from its XML element (TR-069 Amendment 6 annex A)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from xml.etree.ElementTree import Element

from netprov.cwmp import parameter_codec, rpc, soap
from netprov.cwmp.fault import SERVER_FAULTS, describe
from netprov.errors import LocalViolation, Malformed

_FAULT_TEXT = 256
"""Characters that are kept of each text of a fault (the schema allows a parameter's name 256)."""
_FAULTS = 64
"""Parameters that a fault may name."""


def decode(data: bytes) -> rpc.Message:
    """Decode one message; raise `Malformed` on anything that is not one."""
    envelope = soap.decode(data)
    if envelope.foreign:
        raise Malformed(f"header {envelope.foreign[0]} must be understood and is not")
    if envelope.body is None:
        raise Malformed("SOAP envelope with an empty Body")
    name = soap.name(envelope.body)
    codec = CODECS.get(name)
    body = rpc.Unknown(name) if codec is None else codec.decode(envelope.body)
    return rpc.Message(
        body, envelope.id, envelope.version, envelope.hold_requests, envelope.supported, envelope.use
    )


def encode(message: rpc.Message) -> bytes:
    """Encode one message."""
    if isinstance(message.rpc, rpc.Unknown):
        raise LocalViolation(f"{message.rpc.method} has no encoding")
    name = type(message.rpc).__name__
    element = Element("soap:Fault" if name == "Fault" else f"cwmp:{name}")
    CODECS[name].encode(element, message.rpc)
    return soap.encode(
        soap.Envelope(
            element,
            message.id,
            message.version,
            message.hold_requests,
            supported=message.supported,
            use=message.use,
        )
    )


@dataclass(frozen=True, slots=True)
class Codec:
    """How one method's element is read and filled."""

    decode: Callable[[Element], rpc.Rpc]
    encode: Callable[[Element, Any], None]


def _decode_inform(element: Element) -> rpc.Inform:
    device = soap.child(element, "DeviceId")
    if device is None:
        raise Malformed("Inform without DeviceId")
    return rpc.Inform(
        device=rpc.DeviceId(
            manufacturer=soap.text(device, "Manufacturer", ""),
            oui=soap.text(device, "OUI", "").upper(),
            product_class=soap.text(device, "ProductClass", ""),
            serial=soap.text(device, "SerialNumber"),
        ),
        events=tuple(
            rpc.EventCode(soap.text(each, "EventCode"), soap.text(each, "CommandKey", ""))
            for each in soap.children(soap.child(element, "Event"), "EventStruct")
        ),
        parameters=parameter_codec.decode_values(element),
        current_time=soap.text(element, "CurrentTime", rpc.UNKNOWN_TIME),
        retry_count=soap.number(element, "RetryCount", 0),
        max_envelopes=soap.number(element, "MaxEnvelopes", 1),
    )


def _encode_inform(element: Element, inform: rpc.Inform) -> None:
    device = soap.add(element, "DeviceId")
    soap.add(device, "Manufacturer", inform.device.manufacturer)
    soap.add(device, "OUI", inform.device.oui)
    soap.add(device, "ProductClass", inform.device.product_class)
    soap.add(device, "SerialNumber", inform.device.serial)
    events = soap.add_array(element, "Event", "cwmp:EventStruct", len(inform.events))
    for event in inform.events:
        entry = soap.add(events, "EventStruct")
        soap.add(entry, "EventCode", event.code)
        soap.add(entry, "CommandKey", event.command_key)
    soap.add(element, "MaxEnvelopes", str(inform.max_envelopes))
    soap.add(element, "CurrentTime", inform.current_time)
    soap.add(element, "RetryCount", str(inform.retry_count))
    parameter_codec.encode_values(element, inform.parameters)


def _decode_download(element: Element) -> rpc.Download:
    return rpc.Download(
        command_key=soap.text(element, "CommandKey", ""),
        file_type=soap.text(element, "FileType"),
        url=soap.text(element, "URL"),
        username=soap.text(element, "Username", ""),
        password=soap.text(element, "Password", ""),
        size=soap.number(element, "FileSize", 0),
        target_name=soap.text(element, "TargetFileName", ""),
        delay=soap.number(element, "DelaySeconds", 0),
        success_url=soap.text(element, "SuccessURL", ""),
        failure_url=soap.text(element, "FailureURL", ""),
    )


def _encode_download(element: Element, request: rpc.Download) -> None:
    soap.add(element, "CommandKey", request.command_key)
    soap.add(element, "FileType", request.file_type)
    soap.add(element, "URL", request.url)
    soap.add(element, "Username", request.username)
    soap.add(element, "Password", request.password)
    soap.add(element, "FileSize", str(request.size))
    soap.add(element, "TargetFileName", request.target_name)
    soap.add(element, "DelaySeconds", str(request.delay))
    soap.add(element, "SuccessURL", request.success_url)
    soap.add(element, "FailureURL", request.failure_url)


def _decode_transfer(element: Element) -> rpc.TransferComplete:
    fault = soap.child(element, "FaultStruct")
    return rpc.TransferComplete(
        command_key=soap.text(element, "CommandKey", ""),
        fault_code=0 if fault is None else soap.number(fault, "FaultCode", 0),
        fault_text="" if fault is None else soap.text(fault, "FaultString", ""),
        start=soap.text(element, "StartTime", rpc.UNKNOWN_TIME),
        complete=soap.text(element, "CompleteTime", rpc.UNKNOWN_TIME),
    )


def _encode_transfer(element: Element, request: rpc.TransferComplete) -> None:
    soap.add(element, "CommandKey", request.command_key)
    fault = soap.add(element, "FaultStruct")
    soap.add(fault, "FaultCode", str(request.fault_code))
    soap.add(fault, "FaultString", request.fault_text)
    soap.add(element, "StartTime", request.start)
    soap.add(element, "CompleteTime", request.complete)


def _decode_fault(element: Element) -> rpc.Fault:
    """Read a fault; one without CWMP's detail is an internal error with the text of SOAP's own elements."""
    detail = soap.child(element, "detail")
    inner = None if detail is None else soap.child(detail, "Fault")
    if inner is None:
        said = " ".join(
            filter(None, (soap.text(element, "faultcode", ""), soap.text(element, "faultstring", "")))
        )
        return rpc.Fault(9002, said[:_FAULT_TEXT])
    return rpc.Fault(
        soap.number(inner, "FaultCode"),
        soap.text(inner, "FaultString", "")[:_FAULT_TEXT],
        tuple(
            rpc.ParameterFault(
                soap.text(each, "ParameterName", "")[:_FAULT_TEXT],
                soap.number(each, "FaultCode", 9002),
                soap.text(each, "FaultString", "")[:_FAULT_TEXT],
            )
            for each in islice(soap.children(inner, "SetParameterValuesFault"), _FAULTS)
        ),
    )


def _encode_fault(element: Element, fault: rpc.Fault) -> None:
    soap.add(element, "faultcode", "Server" if fault.code in SERVER_FAULTS else "Client")
    soap.add(element, "faultstring", "CWMP fault")
    inner = soap.add(soap.add(element, "detail"), "cwmp:Fault")
    soap.add(inner, "FaultCode", str(fault.code))
    soap.add(inner, "FaultString", fault.text or describe(fault.code))
    for each in fault.parameters:
        entry = soap.add(inner, "SetParameterValuesFault")
        soap.add(entry, "ParameterName", each.name)
        soap.add(entry, "FaultCode", str(each.code))
        soap.add(entry, "FaultString", each.text or describe(each.code))


def _number(parent: str, attribute: str, make: Callable[[int], rpc.Rpc], default: int) -> Codec:
    """Return the codec of a method with one number."""

    def encode_number(element: Element, value: Any) -> None:
        soap.add(element, parent, str(getattr(value, attribute)))

    return Codec(lambda element: make(soap.number(element, parent, default)), encode_number)


def _command(make: Callable[[str], rpc.Rpc]) -> Codec:
    """Return the codec of a method with a CommandKey alone."""

    def encode_command(element: Element, value: Any) -> None:
        soap.add(element, "CommandKey", value.command_key)

    return Codec(lambda element: make(soap.text(element, "CommandKey", "")), encode_command)


def _object(make: Callable[[str, str], rpc.Rpc]) -> Codec:
    """Return the codec of a method on an object."""

    def encode_object(element: Element, value: Any) -> None:
        soap.add(element, "ObjectName", value.name)
        soap.add(element, "ParameterKey", value.parameter_key)

    return Codec(
        lambda element: make(soap.text(element, "ObjectName"), soap.text(element, "ParameterKey", "")),
        encode_object,
    )


def _empty(value: rpc.Rpc) -> Codec:
    """Return the codec of a method without arguments."""
    return Codec(lambda _element: value, lambda _element, _value: None)


def _encode_downloading(element: Element, response: rpc.DownloadResponse) -> None:
    soap.add(element, "Status", str(response.status))
    soap.add(element, "StartTime", response.start)
    soap.add(element, "CompleteTime", response.complete)


def _encode_added(element: Element, response: rpc.AddObjectResponse) -> None:
    soap.add(element, "InstanceNumber", str(response.number))
    soap.add(element, "Status", str(response.status))


CODECS: Final[Mapping[str, Codec]] = {
    "Inform": Codec(_decode_inform, _encode_inform),
    "InformResponse": _number("MaxEnvelopes", "max_envelopes", rpc.InformResponse, 1),
    "GetRPCMethods": _empty(rpc.GetRPCMethods()),
    "GetRPCMethodsResponse": Codec(
        lambda element: rpc.GetRPCMethodsResponse(parameter_codec.decode_strings(element, "MethodList")),
        lambda element, value: parameter_codec.encode_strings(element, "MethodList", value.methods),
    ),
    "GetParameterNames": Codec(
        lambda element: rpc.GetParameterNames(
            soap.text(element, "ParameterPath", ""), soap.boolean(soap.text(element, "NextLevel", "0"))
        ),
        parameter_codec.encode_get_names,
    ),
    "GetParameterNamesResponse": Codec(parameter_codec.decode_names, parameter_codec.encode_names),
    "GetParameterValues": Codec(
        lambda element: rpc.GetParameterValues(parameter_codec.decode_strings(element, "ParameterNames")),
        lambda element, value: parameter_codec.encode_strings(element, "ParameterNames", value.names),
    ),
    "GetParameterValuesResponse": Codec(
        lambda element: rpc.GetParameterValuesResponse(parameter_codec.decode_values(element)),
        lambda element, value: parameter_codec.encode_values(element, value.parameters),
    ),
    "SetParameterValues": Codec(
        lambda element: rpc.SetParameterValues(
            parameter_codec.decode_values(element), soap.text(element, "ParameterKey", "")
        ),
        parameter_codec.encode_set,
    ),
    "SetParameterValuesResponse": _number("Status", "status", rpc.SetParameterValuesResponse, 0),
    "GetParameterAttributes": Codec(
        lambda element: rpc.GetParameterAttributes(parameter_codec.decode_strings(element, "ParameterNames")),
        lambda element, value: parameter_codec.encode_strings(element, "ParameterNames", value.names),
    ),
    "GetParameterAttributesResponse": Codec(
        parameter_codec.decode_attributes, parameter_codec.encode_attributes
    ),
    "SetParameterAttributes": Codec(
        parameter_codec.decode_new_attributes, parameter_codec.encode_new_attributes
    ),
    "SetParameterAttributesResponse": _empty(rpc.SetParameterAttributesResponse()),
    "AddObject": _object(rpc.AddObject),
    "AddObjectResponse": Codec(
        lambda element: rpc.AddObjectResponse(
            soap.number(element, "InstanceNumber"), soap.number(element, "Status", 0)
        ),
        _encode_added,
    ),
    "DeleteObject": _object(rpc.DeleteObject),
    "DeleteObjectResponse": _number("Status", "status", rpc.DeleteObjectResponse, 0),
    "Download": Codec(_decode_download, _encode_download),
    "DownloadResponse": Codec(
        lambda element: rpc.DownloadResponse(
            soap.number(element, "Status"),
            soap.text(element, "StartTime", rpc.UNKNOWN_TIME),
            soap.text(element, "CompleteTime", rpc.UNKNOWN_TIME),
        ),
        _encode_downloading,
    ),
    "TransferComplete": Codec(_decode_transfer, _encode_transfer),
    "TransferCompleteResponse": _empty(rpc.TransferCompleteResponse()),
    "Reboot": _command(rpc.Reboot),
    "RebootResponse": _empty(rpc.RebootResponse()),
    "FactoryReset": _empty(rpc.FactoryReset()),
    "FactoryResetResponse": _empty(rpc.FactoryResetResponse()),
    "Fault": Codec(_decode_fault, _encode_fault),
}
"""Each method, by the name of its element."""
