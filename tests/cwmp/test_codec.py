"""CWMP messages: both ways, leniently read, and never anything but a value or `Malformed`."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp import codec, rpc, soap
from netprov.cwmp.fault import FAULTS, describe
from netprov.errors import LocalViolation, Malformed
from tests.cwmp.cases import CASES, PHONE

IDS = [name for name, _, _ in CASES]

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    max_size=20,
)
words = texts.map(str.strip)
"""Names and keys are stripped when read; values are not."""

numbers = st.integers(0, 2**31 - 1)
values = st.builds(
    rpc.ParameterValue, words, texts, st.sampled_from(["xsd:string", "xsd:boolean", "xsd:int"])
)
messages = st.builds(
    rpc.Message,
    st.one_of(
        st.builds(
            rpc.Inform,
            st.builds(rpc.DeviceId, words, st.text("0123456789ABCDEF", max_size=6), words, words),
            st.lists(st.builds(rpc.EventCode, words, words), max_size=3).map(tuple),
            st.lists(values, max_size=3).map(tuple),
            words,
            numbers,
            numbers,
        ),
        st.builds(rpc.GetParameterValues, st.lists(words, max_size=3).map(tuple)),
        st.builds(
            rpc.GetParameterNamesResponse, st.lists(st.tuples(words, st.booleans()), max_size=3).map(tuple)
        ),
        st.builds(rpc.SetParameterValues, st.lists(values, max_size=3).map(tuple), words),
        st.builds(rpc.Download, words, words, words, words, words, numbers, words, numbers, words, words),
        st.builds(rpc.TransferComplete, words, numbers, words, words, words),
        st.builds(rpc.Fault, numbers, words.filter(bool)),
    ),
    words,
    st.sampled_from(soap.CWMP_VERSIONS),
    st.booleans(),
)


@pytest.mark.parametrize(("name", "body", "xml"), CASES, ids=IDS)
def test_message_is_written_as_the_schema_says(name: str, body: rpc.Rpc, xml: str) -> None:
    data = codec.encode(rpc.Message(body, "7", "1-2")).decode()
    assert xml == re.sub(r".*<soap:Body>(.*)</soap:Body>.*", r"\1", data, flags=re.DOTALL)
    assert '<cwmp:ID soap:mustUnderstand="1">7</cwmp:ID>' in data
    assert 'xmlns:cwmp="urn:dslforum-org:cwmp-1-2"' in data


@pytest.mark.parametrize(("name", "body", "xml"), CASES, ids=IDS)
def test_message_is_read_back(name: str, body: rpc.Rpc, xml: str) -> None:
    message = rpc.Message(body, "7", "1-2")
    assert message == codec.decode(codec.encode(message))


@pytest.mark.parametrize(("name", "body", "xml"), CASES, ids=IDS)
def test_message_is_read_under_any_prefix(name: str, body: rpc.Rpc, xml: str) -> None:
    data = codec.encode(rpc.Message(body, "7", "1-3")).decode()
    for ours, theirs in (("soap:", "SOAP-ENV:"), ("cwmp:", "ns1:"), ("xsi:", "i:"), ("xsd:", "xs:")):
        data = data.replace(f"<{ours}", f"<{theirs}").replace(f"</{ours}", f"</{theirs}")
        data = data.replace(f" {ours}", f" {theirs}").replace(f'"{ours}', f'"{theirs}')
        data = data.replace(f"xmlns:{ours[:-1]}=", f"xmlns:{theirs[:-1]}=")
    assert body == codec.decode(data.encode()).rpc


@given(messages)
def test_message_survives_the_round_trip(message: rpc.Message) -> None:
    actual = codec.decode(codec.encode(message))
    if isinstance(message.rpc, rpc.Fault) and not (message.id or message.hold_requests):
        actual = dataclasses.replace(
            actual, version=message.version
        )  # nothing in it is in a namespace of CWMP
    assert message == actual


@pytest.mark.fuzz
@given(st.binary(max_size=300))
def test_fuzz_arbitrary_octets_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        codec.decode(data)


@pytest.mark.fuzz
@given(st.sampled_from(CASES), st.data())
def test_fuzz_damaged_message_is_a_message_or_malformed(
    case: tuple[str, rpc.Rpc, str], data: st.DataObject
) -> None:
    octets = bytearray(codec.encode(rpc.Message(case[1], "7", "1-2")))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    root = element_tree(bytes(octets))
    try:
        message = codec.decode(bytes(octets))
    except Malformed:
        # What is refused is no XML, or no longer the message that it was.
        assert root is None or root != element_tree(codec.encode(rpc.Message(case[1], "7", "1-2")))
        return
    assert root is not None
    tag, body, texts = root
    assert (tag, message.id) == ("Envelope", body["id"])
    assert (
        message.rpc.method if isinstance(message.rpc, rpc.Unknown) else type(message.rpc).__name__
    ) == body["method"]
    assert {each for each in strings(message.rpc) if each} <= texts


def element_tree(data: bytes) -> tuple[str, dict[str, str], frozenset[str]] | None:
    """Return the root's name, header ID and method, and every text of a message, by ElementTree alone."""
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError):
        return None
    texts = {text for each in root.iter() for text in ((each.text or ""), (each.text or "").strip())}
    method = root.find("{*}Body/*")
    return (
        root.tag.rpartition("}")[2],
        {
            "id": (root.findtext("{*}Header/{*}ID") or "").strip(),
            "method": "" if method is None else method.tag.rpartition("}")[2],
        },
        frozenset(texts | {text.upper() for text in texts}),
    )


def strings(value: object) -> set[str]:
    """Return the texts of a message that stand in it as they were sent: no types, no defaults, no numbers."""
    if isinstance(value, rpc.ParameterValue):
        return {value.name, value.value}
    if isinstance(value, tuple):
        return {text for each in value for text in strings(each)}
    if isinstance(value, rpc.DeviceId | rpc.EventCode | rpc.Inform | rpc.Download):
        fields = (getattr(value, field.name) for field in dataclasses.fields(value))
        return {text for each in fields for text in strings(each)} - {rpc.UNKNOWN_TIME}
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1-0", "1-0"), ("1-1", "1-1"), ("1-2", "1-2"), ("1-3", "1-3"), ("1-4", "1-4"), ("1-9", "1-4")],
)
def test_version_is_the_one_of_the_namespace(version: str, expected: str) -> None:
    data = codec.encode(rpc.Message(rpc.GetRPCMethods(), "7", "1-0")).replace(
        b"cwmp-1-0", f"cwmp-{version}".encode()
    )
    assert expected == codec.decode(data).version


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{"&a;" * 10 if not n else f"&a{n - 1};" * 10}">' for n in range(9))
    + "]><Envelope><Body>&a8;</Body></Envelope>"
)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("nothing", ""),
        ("no XML", "hello"),
        ("another document", "<html/>"),
        ("no body", "<Envelope/>"),
        ("an empty body", "<Envelope><Body/></Envelope>"),
        ("an unclosed element", "<Envelope><Body>"),
        ("an entity bomb", BOMB),
        ("an external entity", '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]><e>&x;</e>'),
        ("a DTD from elsewhere", '<!DOCTYPE Envelope SYSTEM "http://192.0.2.1/x.dtd"><Envelope/>'),
        ("an unknown encoding", '<?xml version="1.0" encoding="klingon"?><Envelope/>'),
        ("an Inform without a device", "<Envelope><Body><Inform/></Body></Envelope>"),
        ("a device without a serial number", "<Envelope><Body><Inform><DeviceId/></Inform></Body></Envelope>"),
        ("a number that is none", "<Envelope><Body><InformResponse><MaxEnvelopes>x</MaxEnvelopes></InformResponse></Body></Envelope>"),
        (
            "a header to be understood",
            '<e:Envelope xmlns:e="urn:e"><Header><New e:mustUnderstand="1"/></Header><Body><GetRPCMethods/></Body></e:Envelope>',
        ),
    ],
)  # fmt: skip
def test_document_is_refused(name: str, document: str) -> None:
    with pytest.raises(Malformed):
        codec.decode(document.encode())


def test_deeply_nested_elements_do_no_harm() -> None:
    depth = 100_000
    data = (
        b"<Envelope><Body><GetRPCMethods>"
        + b"<a>" * depth
        + b"</a>" * depth
        + b"</GetRPCMethods></Body></Envelope>"
    )
    with pytest.raises(Malformed, match="nested too deeply"):
        codec.decode(data)


def test_unknown_method_is_kept_by_name() -> None:
    data = codec.encode(rpc.Message(rpc.GetRPCMethods(), "7")).replace(b"GetRPCMethods", b"Kicked")
    assert rpc.Message(rpc.Unknown("Kicked"), "7") == codec.decode(data)


def test_unknown_method_cannot_be_written() -> None:
    with pytest.raises(LocalViolation):
        codec.encode(rpc.Message(rpc.Unknown("Kicked")))


def test_text_that_xml_cannot_carry_is_our_own_fault() -> None:
    with pytest.raises(LocalViolation):
        codec.encode(rpc.Message(rpc.Reboot("\x00")))


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ('xsi:type="xsd:boolean"', "xsd:boolean"),
        ("xsi:type='xsd:boolean'", "xsd:boolean"),
        ('xsi:type="boolean"', "xsd:boolean"),
        ('type="xs:boolean"', "xsd:boolean"),
        ("", "xsd:string"),
    ],
)
def test_value_keeps_its_type_however_written(attribute: str, expected: str) -> None:
    message = rpc.Message(rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.X", "1"),)))
    data = codec.encode(message).replace(b'xsi:type="xsd:string"', attribute.encode())
    response = codec.decode(data).rpc
    assert rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.X", "1", expected),)) == response


def test_soap_fault_without_detail_is_an_internal_error() -> None:
    data = b"<Envelope><Body><Fault><faultcode>Server</faultcode><faultstring>busy</faultstring></Fault></Body></Envelope>"
    assert rpc.Fault(9002, "Server busy") == codec.decode(data).rpc


def test_fault_is_the_servers_or_the_clients_by_its_code() -> None:
    assert b"<faultcode>Client<" in codec.encode(rpc.Message(rpc.Fault(9003)))
    assert b"<faultcode>Server<" in codec.encode(rpc.Message(rpc.Fault(9002)))


def test_every_fault_code_of_the_standard_is_described() -> None:
    assert set(FAULTS) == {*range(8000, 8007), *range(9000, 9020)}
    assert (
        str(rpc.Fault(9016)),
        describe(9999),
    ) == ("9016 File transfer failure: unable to access file", "fault 9999")


def test_inform_finds_a_parameter_under_any_root() -> None:
    inform = rpc.Inform(PHONE, (), (rpc.ParameterValue("InternetGatewayDevice.LAN.MACAddress", "x"),))
    assert (inform.parameter("LAN.MACAddress"), inform.parameter("LAN.IPAddress")) == ("x", "")
