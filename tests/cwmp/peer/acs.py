"""An ACS of a few lines that shares no code with ours: envelopes by hand, answers read by ElementTree.

Written from TR-069 Amendment 6 sections 3.4, 3.5, 3.7 and annex A alone, to drive a phone through a session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from netprov.cwmp.action import Answer, Post
from netprov.cwmp.cpe import Cpe
from netprov.cwmp.rpc import EventCode

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a phone: its method, namespace, cwmp:ID, and its body element; an empty POST has no method."""

    method: str
    namespace: str
    id: str
    body: ET.Element

    def texts(self, path: str) -> list[str]:
        return [each.text or "" for each in self.body.iterfind(path)]

    @property
    def fault(self) -> str:
        return next(iter(self.texts(".//FaultCode")), "")


def read(octets: bytes) -> Said:
    """Read a message, strictly: one body element, one cwmp:ID that must be understood, one namespace of CWMP."""
    if not octets:
        return Said("", "", "", ET.Element("none"))
    root = ET.fromstring(octets)
    assert root.tag == f"{SOAP}Envelope"
    header, body = root
    assert (header.tag, body.tag) == (f"{SOAP}Header", f"{SOAP}Body")
    [inner], [identity] = body, header
    namespace, _, header_name = identity.tag[1:].partition("}")
    assert header_name == "ID"
    assert identity.get(f"{SOAP}mustUnderstand") == "1"
    method = inner.tag.rpartition("}")[2]
    cwmp = inner.find("detail/*") if method == "Fault" else inner
    assert cwmp is not None
    assert cwmp.tag.startswith(f"{{{namespace}}}")
    return Said(method, namespace, identity.text or "", inner)


@dataclass
class PeerAcs:
    """Holds sessions with one phone: `calls` are asked in the next, `heard` is everything that the phone said."""

    cpe: Cpe
    version: str = "1-0"
    now: float = 0.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    heard: list[Said] = field(default_factory=list)
    says: Mapping[str, Answer] = field(default_factory=dict)
    hold: bool = False

    def session(self) -> Sequence[Said]:
        """Hold one session, from the Inform to 204; return what was said in it."""
        began = len(self.heard)
        while isinstance(post := self.cpe.next_action(self.now), Post):
            said = read(post.body)
            self.heard.append(said)
            answer = self.says.get(said.method) or self._answer(said)
            self.cpe.posted(answer, self.now)
            if answer.status != 200:
                break
        return self.heard[began:]

    def ask(self, method: str, arguments: str = "", *, version: str = "") -> Said:
        """Open a session by a connection request, call one method in it, and return the answer."""
        self.calls, before = [(method, arguments)], self.version
        self.version = version or before
        said = self.opened("6 CONNECTION REQUEST")
        self.version = before
        return next(each for each in reversed(said) if each.id == f"acs-{method}")

    def opened(self, cause: str) -> Sequence[Said]:
        """Open a session for a cause, and hold it."""
        self.cpe.trigger(EventCode(cause), self.now)
        return self.session()

    def _answer(self, said: Said) -> Answer:
        if said.method in {"Inform", "TransferComplete"}:
            inner = "<MaxEnvelopes>1</MaxEnvelopes>" if said.method == "Inform" else ""
            return self._envelope(f"{said.method}Response", inner, said.id)
        if not self.calls:
            return Answer(204)
        method, arguments = self.calls.pop(0)
        return self._envelope(method, arguments, f"acs-{method}")

    def _envelope(self, method: str, inner: str, identity: str) -> Answer:
        held = '<c:HoldRequests s:mustUnderstand="1">1</c:HoldRequests>' if self.hold else ""
        text = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:c="urn:dslforum-org:cwmp-{self.version}">'
            f'<s:Header><c:ID s:mustUnderstand="1">{identity}</c:ID>{held}</s:Header>'
            f"<s:Body><c:{method}>{inner}</c:{method}></s:Body></s:Envelope>"
        )
        return Answer(200, (("Content-Type", "text/xml"),), text.encode())
