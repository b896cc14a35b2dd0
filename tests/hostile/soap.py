"""Messages that an ACS is sent by mistake or by malice, written by hand, each with what has to come back.

What has to: a message that is no SOAP or no CWMP is HTTP's 400 and ends the session that it came in; a method that is the
CPE's, optional or invented is fault 8000 (TR-069 Amendment 6 annex A.5.2), outside a session 8001; an answer to nothing is 400.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Where = Literal["outside", "inside", "asked"]
"""Before an Inform; after it, when it is the device's turn; when SetParameterValues is out and not answered."""

Comes = Literal["400", "8000", "8001", "taken"]
"""HTTP 400; a SOAP fault with that code in an HTTP 200; an InformResponse."""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ID = "netprov-1"
"""The cwmp:ID of the first call of a session."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message: where in a session it comes, and what comes back."""

    name: str
    where: Where
    body: bytes
    comes: Comes


def envelope(body: str, *, header: str = "", version: str = "1-0", id_: str = ID) -> bytes:
    told = f'<cwmp:ID s:mustUnderstand="1">{id_}</cwmp:ID>' if id_ else ""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:cwmp="urn:dslforum-org:cwmp-{version}">'
        f"<s:Header>{told}{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def inform(*, serial: str = "EVIL1", events: str = "", more: str = "", version: str = "1-0") -> bytes:
    device = f"<Manufacturer>x</Manufacturer><OUI>0000FF</OUI><SerialNumber>{serial}</SerialNumber>"
    told = f"<Event>{events}</Event>"
    return envelope(f"<cwmp:Inform><DeviceId>{device}</DeviceId>{told}{more}</cwmp:Inform>", version=version)


PROLOGUE = '<?xml version="1.0"?>'
NO_XML = {
    "text": b"hello",
    "a NUL": b"\x00",
    "NULs": b"\x00" * 4096,
    "0xff": b"\xff" * 64,
    "JSON": b'{"Inform": {}}',
    "an HTML page": b"<html><body>Inform</body></html>",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "gzip": bytes.fromhex("1f8b08000000000000034bcc"),
    "a prologue": PROLOGUE.encode(),
    "a comment": b"<!-- Inform -->",
    "half a tag": b"<s:Envelope",
    "half an envelope": inform()[: len(inform()) // 2],
    "an envelope and a byte": inform() + b"x",
    "two envelopes": inform() + inform(),
    "an envelope after text": b"x" + inform(),
    "UTF-8 that is none": inform(serial="@").replace(b"@", b"\xc3\x28"),
    "UTF-8 too long for its letter": inform(serial="@").replace(b"@", b"\xc0\xaf"),
    "half a surrogate": inform(serial="@").replace(b"@", b"\xed\xa0\x80"),
    "a reference to NUL": inform(serial="&#0;"),
    "a reference to a control": inform(serial="&#x1;"),
    "an entity that nobody declared": inform(serial="&evil;"),
    "a prefix that nobody declared": inform().replace(b"cwmp:Inform", b"evil:Inform"),
    "an attribute twice": inform().replace(b"<Event>", b"<Event a='1' a='2'>"),
    "tags that cross": inform().replace(b"</Event></cwmp:Inform>", b"</cwmp:Inform></Event>"),
    "an encoding that there is not": b'<?xml version="1.0" encoding="evil"?>' + inform(),
    "UTF-16 that says it is UTF-8": (
        b'<?xml version="1.0" encoding="utf-8"?>' + inform()
    ).decode().encode("utf-16-le"),
    "a document type": f"{PROLOGUE}<!DOCTYPE x>".encode() + inform(),
    "an external document type": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + inform(),
    "an external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + inform(serial="&e;"),
    "a parameter entity": b'<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;]>' + inform(),
    "a billion laughs": (
        '<!DOCTYPE x [<!ENTITY a0 "ha">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        + "]>"
    ).encode()
    + inform(serial="&a9;"),
    "a quadratic blow-up": f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'.encode() + inform(serial="&a;" * 5000),
    "30,000 elements": envelope(f"<cwmp:Inform>{'<x/>' * 30_000}</cwmp:Inform>"),
    "30,000 levels": envelope("<x>" * 30_000 + "</x>" * 30_000),
}  # fmt: skip
NO_MESSAGE = {
    "an envelope of another name": b"<Envelop/>",
    "an empty envelope": f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(),
    "a header alone": f'<s:Envelope xmlns:s="{SOAP}"><s:Header/></s:Envelope>'.encode(),
    "an empty body": envelope(""),
    "a body of text": envelope("Inform"),
    "a body of a comment": envelope("<!-- x -->"),
    "an Inform without an envelope": b"<Inform/>",
    "an Inform without a DeviceId": envelope("<cwmp:Inform/>"),
    "an Inform with an empty DeviceId": envelope("<cwmp:Inform><DeviceId/></cwmp:Inform>"),
    "an event without its code": inform(events="<EventStruct/>"),
    "a RetryCount that is no number": inform(more="<RetryCount>many</RetryCount>"),
    "a RetryCount of 5,000 digits": inform(more=f"<RetryCount>{'9' * 5000}</RetryCount>"),
    "a RetryCount in Arabic digits": inform(more="<RetryCount>&#x661;</RetryCount>"),
    "MaxEnvelopes that is no number": inform(more="<MaxEnvelopes>1.5</MaxEnvelopes>"),
    "a parameter without its name": inform(
        more="<ParameterList><ParameterValueStruct><Value>1</Value></ParameterValueStruct></ParameterList>"
    ),
    "a header that must be understood and is not": envelope(
        "<cwmp:GetRPCMethods/>", header='<x:Evil xmlns:x="urn:x" s:mustUnderstand="1"/>'
    ),
    "the same by a word": envelope(
        "<cwmp:GetRPCMethods/>", header='<x:Evil xmlns:x="urn:x" s:mustUnderstand="true"/>'
    ),
    "the second of two headers that is not": envelope(
        "<cwmp:GetRPCMethods/>", header='<x:A xmlns:x="urn:x"/><x:B xmlns:x="urn:x" s:mustUnderstand="1"/>'
    ),
}
DOWNLOAD = "<FileType>1 Firmware Upgrade Image</FileType><URL>http://x/</URL>"
CALLS = {
    **dict.fromkeys((
        "GetParameterValues", "GetParameterNames", "SetParameterValues", "GetParameterAttributes",
        "SetParameterAttributes", "Reboot", "FactoryReset", "ScheduleInform", "Upload", "GetQueuedTransfers",
        "GetAllQueuedTransfers", "SetVouchers", "GetOptions", "ScheduleDownload", "CancelTransfer", "ChangeDUState",
        "Kicked", "RequestDownload", "AutonomousTransferComplete", "DUStateChangeComplete",
        "AutonomousDUStateChangeComplete", "InformOn", "Evil", "inform", "__class__", "X_CISCO_Evil",
    ), ""),
    "AddObject": "<ObjectName>Device.Evil.</ObjectName>",
    "DeleteObject": "<ObjectName>Device.Evil.1.</ObjectName>",
    "Download": DOWNLOAD,
}  # fmt: skip
"""Methods of a CPE, optional ones of an ACS (annex A.3.2, A.4), and invented ones."""

ANSWERS = {
    **{f"{name}Response": "" for name in (
        "Inform", "GetRPCMethods", "GetParameterValues", "GetParameterNames", "GetParameterAttributes",
        "SetParameterAttributes", "DeleteObject", "TransferComplete", "Reboot", "FactoryReset", "ScheduleInform",
        "Upload", "GetQueuedTransfers", "GetAllQueuedTransfers", "SetVouchers", "GetOptions", "ScheduleDownload",
        "CancelTransfer", "ChangeDUState", "Kicked", "RequestDownload", "Evil", "",
    )},
    "DownloadResponse": "<Status>1</Status>",
    "AddObjectResponse": "<InstanceNumber>1</InstanceNumber>",
}  # fmt: skip
"""Answers to calls; none is to SetParameterValues."""

SET = "<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>"
WRONG_IDS = (
    "netprov-2",
    "netprov-0",
    "netprov-",
    "NETPROV-1",
    "1",
    "0",
    "netprov-1 x",
    "x" * 5000,
    "&#xfffd;",
)
FAULT = "<s:Fault><detail><cwmp:Fault><FaultCode>9002</FaultCode></cwmp:Fault></detail></s:Fault>"
BROKEN_ANSWERS = {
    "a status that is no number": envelope(SET.replace("0", "zero")),
    "a status of 5,000 digits": envelope(SET.replace("0", "1" * 5000)),
    "a fault whose code is no number": envelope(FAULT.replace("9002", "bad")),
    "a fault without its code": envelope(FAULT.replace("<FaultCode>9002</FaultCode>", "")),
    "a fault with another ID": envelope(FAULT, id_="netprov-7"),
    "a fault in a header that must be understood": envelope(
        FAULT, header='<x:E xmlns:x="urn:x" s:mustUnderstand="1"/>'
    ),
}
ODD = {
    "events without end": inform(events="<EventStruct><EventCode>1 BOOT</EventCode></EventStruct>" * 5000),
    "a serial number without end": inform(serial="S" * 500_000),
    "a serial number that is a path": inform(serial="../../etc/passwd"),
    "a serial number that is SQL": inform(serial="'; DROP TABLE device; --"),
    "a serial number of escapes": inform(serial="&#x9b;31m&#x202e;"),
    "an event that nobody knows": inform(events="<EventStruct><EventCode>X EVIL 1</EventCode></EventStruct>"),
    "no events": inform(),
    "many envelopes wanted": inform(more="<MaxEnvelopes>2147483647</MaxEnvelopes>"),
    "fewer than none": inform(more="<MaxEnvelopes>-1</MaxEnvelopes><RetryCount>-1</RetryCount>"),
    "a version that there is not": inform(version="9-9"),
    "no version": inform(version=""),
    "an array that lies about its length": inform().replace(b"<Event>", b'<Event arrayType="x[99999999]">'),
}


def messages() -> Iterator[Hostile]:
    """Return them all."""
    for name, body in {**NO_XML, **NO_MESSAGE}.items():
        yield Hostile(name, "outside", body, "400")
        yield Hostile(name, "inside", body, "400")
    for name, inner in CALLS.items():
        body = envelope(f"<cwmp:{name}>{inner}</cwmp:{name}>")
        yield Hostile(name, "outside", body, "8001")
        yield Hostile(name, "inside", body, "8000")
    for name, inner in ANSWERS.items():
        body = envelope(f"<cwmp:{name}>{inner}</cwmp:{name}>")
        yield Hostile(name, "inside", body, "400")
        yield Hostile(name, "asked", body, "400")
    yield Hostile("an answer that comes before its question", "inside", envelope(SET), "400")
    yield Hostile("a fault of nothing", "inside", envelope(FAULT), "400")
    for wrong in WRONG_IDS:
        yield Hostile(f"an answer to {wrong[:20]}", "asked", envelope(SET, id_=wrong), "400")
    for name, body in BROKEN_ANSWERS.items():
        yield Hostile(name, "asked", body, "400")
    for name, body in ODD.items():
        yield Hostile(name, "outside", body, "taken")
