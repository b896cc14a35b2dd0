"""The same octets sent to netprov and to nginx, with the same files: same answers, same fields, connections kept alike.

Where the two differ, `DIFFERENCES` says how exactly, with the reason; a row that does not hold any more fails too.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from netprov.lab.lan import Host
from netprov.lab.server import start_server
from tests.lab import foreign
from tests.lab.conftest import MakeLan
from tests.lab.http_cases import CASES, CONTENT, FILE, Case, request
from tests.lab.http_differences import DIFFERENCES

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
phones: [{{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC}}]
provisioning: {{files: {{/fw: {folder}}}}}
"""
PROFILE = "/8851-3PCC.xml"
OURS, THEIRS = 80, 8081
PATIENCE = 20.0
_ABOUT_FILES = ("content-type", "content-length")
"""Fields that say something of a file; what is said with an error is each server's own (RFC 9110 section 15.5)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; without a status line (HTTP/0.9) the status is 0."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class Conversation:
    """Reads answers from a connection."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("10.20.0.1", port), timeout=PATIENCE)
        self._data = b""
        self.ended = False

    def send(self, octets: bytes) -> None:
        """Send; that the server has closed is seen when reading."""
        try:
            self.sock.sendall(octets)
        except ConnectionError:
            return

    def reply(self, method: str) -> Reply | None:
        """Return the next answer, None where the connection ends before one."""
        while b"\r\n\r\n" not in self._data and not self._is_bare() and self._more():
            pass
        if self._is_bare() or not self._data:
            while self._more():
                pass
            body, self._data = self._data, b""
            return Reply(0, {}, body) if body else None
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(status_line.split(" ")[1])
        return Reply(status, fields, self._body(method, status, fields))

    def _is_bare(self) -> bool:
        return not b"HTTP/".startswith(self._data[:5])

    def _body(self, method: str, status: int, fields: Mapping[str, str]) -> bytes:
        if method == "HEAD" or status in {204, 304} or status < 200:
            return b""
        assert "transfer-encoding" not in fields, fields
        length = int(fields["content-length"]) if "content-length" in fields else None
        while (length is None or len(self._data) < length) and self._more():
            pass
        body = self._data[:length]
        self._data = self._data[len(body) :]
        return body

    def _more(self) -> bool:
        try:
            data = b"" if self.ended else self.sock.recv(1 << 16)
        except ConnectionError:
            data = b""
        self.ended = not data
        self._data += data
        return not self.ended


def outcome(case: Case, port: int, validators: Mapping[str, str]) -> dict[str, object]:
    """Return what became of a case at one server, as far as it can be compared."""
    found: dict[str, object] = {}
    replies: list[Reply] = []
    with (conversation := Conversation(port)).sock as sock:
        conversation.send(filled(case.octets, validators))
        if case.half_close:
            sock.shutdown(socket.SHUT_WR)
        then = case.then
        due = list(case.methods)
        while due and (reply := conversation.reply(due[0])):
            replies.append(reply)
            if reply.status >= 200 or not reply.status:
                due.pop(0)
            if then:
                conversation.send(then)
                then = b""
        found["connection"] = "closed"
        if not due and not case.half_close and not conversation.ended:
            conversation.send(request("Connection: close"))
            last = conversation.reply("GET")
            found["connection"] = "kept" if last and last.body == CONTENT else "closed"
            if last and last.body != CONTENT:
                found["connection"] = f"{last.status} to the next request"
    found["status"] = " ".join(str(each.status) for each in replies) or "none"
    for place, reply in enumerate(replies):
        found |= {f"{name}[{place}]": value for name, value in compared(reply).items()}
    return found


def filled(octets: bytes, validators: Mapping[str, str]) -> bytes:
    """Put in what a server said of the file before."""
    for name, value in validators.items():
        octets = octets.replace(b"{%b}" % name.encode(), value.encode())
    return octets


def compared(reply: Reply) -> dict[str, object]:
    """Return what of a reply the two are to have alike."""
    names = ["content-range", "location", "www-authenticate", "allow", "upgrade"]
    if reply.status < 300:
        names += _ABOUT_FILES
    if reply.status == 200:
        names.append("accept-ranges")
    found: dict[str, object] = {name: reply.fields.get(name) for name in names}
    if reply.status < 400:
        found["body"] = reply.body
        found |= {name: name in reply.fields for name in ("etag", "last-modified")}
    if reply.status >= 200:
        found["date"] = "date" in reply.fields
    return found


def difference(ours: Mapping[str, object], theirs: Mapping[str, object]) -> tuple[str, str]:
    """Return what differs, as each has it."""
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    return shown(names, ours), shown(names, theirs)


def shown(names: list[str], found: Mapping[str, object]) -> str:
    """Return some of an outcome on one line."""
    if "status" in names:  # what follows from another status differs with it
        names = [name for name in ("status", "connection") if name in names]
    values = {name: found.get(name) for name in names}
    return ", ".join(
        f"{name} {f'{len(value)} octets' if isinstance(value, bytes) else value}"
        for name, value in values.items()
    )


Sides = tuple[Host, Mapping[str, str], Mapping[str, str]]


@pytest.fixture(scope="module")
def sides(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Return the host that both run on, and what each says of the file."""
    tmp = tmp_path_factory.mktemp("http")
    root = tmp / "root"
    foreign.files(root, {FILE.lstrip("/"): CONTENT, "fw/sub/x": b"x"})
    lan = make_module_lan(server=["10.20.0.1/24"], clients=[])
    host = lan["server"]
    (tmp / "site.yaml").write_text(INVENTORY.format(folder=root / "fw"))
    start_server(host, tmp / "site.yaml", tmp / "state")
    with host.entered():
        foreign.files(root, {PROFILE.lstrip("/"): one(OURS, PROFILE).body})
    types = "types { text/xml xml; application/octet-stream loads; }"
    foreign.nginx(host, tmp, root, [f"listen 10.20.0.1:{THEIRS}; root ROOT; {types}"])
    with host.entered():
        found = host, validators(OURS), validators(THEIRS)
    assert found[1]["date"] == found[2]["date"]
    return found


def one(port: int, target: str) -> Reply:
    """Fetch something that is there."""
    with (conversation := Conversation(port)).sock:
        conversation.send(request(target=target))
        reply = conversation.reply("GET")
        assert reply is not None
        assert reply.status == 200
        return reply


def validators(port: int) -> Mapping[str, str]:
    """Return what a server says of the file."""
    fields = one(port, FILE).fields
    return {"tag": fields["etag"], "date": fields["last-modified"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_netprov_answers_as_nginx_does_but_where_it_is_said(sides: Sides, case: Case) -> None:
    host, our_validators, their_validators = sides
    with host.entered():
        ours = outcome(case, OURS, our_validators)
        theirs = outcome(case, THEIRS, their_validators)
    assert difference(ours, theirs) == DIFFERENCES.get(case.name, ("", "", ""))[:2]


def test_every_difference_is_of_a_case_that_is_tried() -> None:
    assert not {*DIFFERENCES} - {case.name for case in CASES}
    assert len({case.name for case in CASES}) == len(CASES)
