"""A world in memory for emulated phones: DHCP options, names, servers with files and certificates, all in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.phone.action import (
    Action,
    AskDhcp,
    Done,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Result,
    SrvRecord,
    Step,
    Trouble,
)
from netprov.phone.boot import Outcome, boot
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.handset.memory import Behaviour, Handset
from netprov.phone.walk import walk

CA = "-----BEGIN CERTIFICATE-----\nstaging\n-----END CERTIFICATE-----\n"
PHONE = Identity("00:12:34:ab:45:de", MODELS["CP-8851-3PCC"])
STAGED = Identity("00:12:34:ab:45:de", MODELS["CP-8851-3PCC"], custom_roots=(CA,))
PROFILE = b"<flat-profile><Proxy_1_>example.com</Proxy_1_></flat-profile>"
SERVER = "10.20.0.1"

Answer = int | bytes | Trouble | Response


@dataclass(frozen=True)
class Server:
    """One port that listens: what each path gives (a status, a body, trouble); 404 for others."""

    files: Mapping[str, Answer] = field(default_factory=dict)
    names: tuple[str, ...] = ("example.com",)
    ca: str = CA
    trouble: Trouble | None = None


@dataclass(frozen=True)
class World:
    """`servers` by "scheme address port"; `names` are A records, `services` SRV records."""

    options: Mapping[int, bytes] | None = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...] | Trouble] = field(default_factory=dict)
    services: Mapping[str, tuple[SrvRecord, ...]] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)

    def __call__(self, action: Action) -> Result:
        match action:
            case AskDhcp():
                if self.options is None:
                    return Failed(Trouble.TIMEOUT)
                return Lease("10.20.0.50", SERVER, {6: bytes([10, 20, 0, 1]), **self.options})
            case Resolve(name, "SRV"):
                records = self.services.get(name)
                return Found(records=records) if records else Failed(Trouble.NXDOMAIN)
            case Resolve(name):
                found = self.names.get(name, Trouble.NXDOMAIN)
                return Failed(found) if isinstance(found, Trouble) else Found(found)
            case Fetch():
                return self._fetch(action)
        return Done()

    def _fetch(self, action: Fetch) -> Result:
        url = action.url
        server = self.servers.get(f"{url.scheme} {action.address} {url.port}")
        if server is None:
            return Failed(Trouble.TIMEOUT if url.scheme == "tftp" else Trouble.REFUSED)
        if server.trouble:
            return Failed(server.trouble)
        if url.scheme == "https":
            if server.ca not in action.anchors:
                return Failed(Trouble.UNTRUSTED)
            if action.verify not in server.names:
                return Failed(Trouble.WRONG_NAME)
        answer = server.files.get(url.path, 404)
        match answer:
            case Trouble():
                return Failed(answer)
            case Response():
                return answer
            case bytes():
                return Response(200, answer)
        if url.scheme == "tftp":
            return Failed(Trouble.NOT_FOUND)
        return Response(answer)


def no_chance(_below: int) -> int:
    """Draw 0 always."""
    return 0


def travel(
    world: World, identity: Identity = PHONE, behaviour: Behaviour | None = None
) -> tuple[Outcome, list[Step], Handset]:
    """Boot a phone in a world."""
    handset = Handset(identity, no_chance, behaviour or Behaviour())
    outcome, steps = walk(handset, boot(handset), world)
    return outcome, steps, handset


def attempts(steps: list[Step]) -> list[str]:
    """Return what went over the wire after DHCP, in order, in the shortest words."""
    told = []
    for step in steps:
        match step.action:
            case Resolve(name, kind):
                told.append(f"{kind} {name}")
            case Fetch(url, address, verify, method=method):
                how = "" if method == "GET" else f"{method} "
                at = "" if url.by_address else f" at {address}"
                name = f" as {verify}" if verify else ""
                told.append(f"{how}{url}{at}{name} = {_short(step.result)}")
    return told


def _short(result: Result) -> str:
    match result:
        case Response(status):
            return str(status)
        case Failed(trouble):
            return trouble.name.lower()
    return "?"
