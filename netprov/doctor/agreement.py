"""Whether the servers of one inventory agree, so that a phone of one is taken over by another when the first is gone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import eq
from typing import Generic, TypeVar

from netprov.dns.iana.rrtype import format_type
from netprov.dns.message.name import format_host, reverse_zones
from netprov.doctor.client import DoctorClient
from netprov.doctor.server import Answers, Hearing, Server, compared_roads, servers_of
from netprov.doctor.web import Web
from netprov.emulator.failure import COMPRESSED, Timeouts
from netprov.errors import Malformed, Problem, Reason
from netprov.phone.action import Response
from netprov.pki.chain import Certificate
from netprov.plan import Plan
from netprov.provision.config import Device, Provision, SecretsPlace
from netprov.provision.crypto import MAGIC, decode_ikm, decrypt_gcm, digest_of, open_cbc
from netprov.provision.profile import decompress
from netprov.provision.secret import Secrets
from netprov.state.serial import is_greater

T = TypeVar("T")

MOST_PHONES = 64
"""Phones whose profiles are compared: one that is older differs in more than one as a rule."""

_SAME_STATE = (
    "`netprov state export site.netprov` on the one whose state is to be kept, `netprov state import --replace "
    "site.netprov` on the other, then `netprov reload` there"
)

SILENT = Reason(
    "doctor-server-silent",
    "warning",
    "The inventory has a server at this address, and nothing answers there: what it would give phones is not known.",
    "start `netprov serve` there, or take the address out of the inventory",
)
CA = Reason(
    "doctor-servers-ca",
    "error",
    "A phone trusts the CA that it was given by one server, and refuses the other when the first is gone.",
    _SAME_STATE,
)
ISSUER = Reason(
    "doctor-servers-issuer",
    "warning",
    "The servers present chains of different authorities: a phone has to trust all of them.",
    f"{_SAME_STATE}; an operator's own chain goes along",
)
KEY = Reason(
    "doctor-servers-key",
    "error",
    "A phone decrypts its profile with the key that it was given once; keys follow from the secrets of the server.",
    _SAME_STATE,
)
ZONE = Reason(
    "doctor-servers-zone",
    "warning",
    "Phones ask any of the DNS servers, and an older zone leads them elsewhere.",
    "give both the same inventory, then `netprov reload dns` on the older one; serials that differ still are carried by "
    "`netprov state export` and `netprov state import`, and a restart of dns",
)
PROFILE = Reason(
    "doctor-servers-profile",
    "warning",
    "What a phone is set to would depend on the server that it reaches.",
    "give both the same inventory and the same files, then `netprov reload` on the older one",
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which servers were compared, and in what they differ."""

    servers: tuple[str, ...]
    found: tuple[Problem, ...]

    @property
    def cause(self) -> Problem | None:
        """The first thing that would keep a server from taking over a phone, None if nothing would."""
        return next((each for each in self.found if each.severity == "error"), None)


async def compare_servers(
    plan: Plan,
    clients: Sequence[DoctorClient],
    anchors: Sequence[Certificate],
    secrets: Secrets,
    timeouts: Timeouts = COMPRESSED,
) -> Agreement:
    """Hear every server of the inventory, and compare what they say; `secrets` are those of this machine."""
    servers = servers_of(plan)
    if len(servers) < 2:
        return Agreement(tuple(each.address for each in servers), ())
    asked = [*islice((each for each in clients if each.expected.served), MOST_PHONES)]
    web = Web(timeouts, (), verifies=False)
    hearing = Hearing(plan, web, asked, timeouts, compared_roads(servers))
    try:
        heard = await asyncio.gather(*(hearing.hear(each) for each in servers))
    finally:
        await web.close()
    silent = [
        SILENT.problem(f"nothing answers at {each.server.address}", path=each.server.path)
        for each in heard
        if not each.heard
    ]
    names = {each.identity.mac: each.name for each in asked}
    said = [each for each in heard if each.heard]
    return Agreement(
        tuple(each.server.address for each in said),
        (
            *silent,
            *authorities(said, anchors),
            *zones(said, _leased(plan)),
            *profiles(said, plan.provision, secrets, names),
        ),
    )


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """What one server says otherwise than the one that is taken for right."""

    kept: Server
    wanted: T
    other: Server
    value: T


def authorities(said: Sequence[Answers], anchors: Sequence[Certificate]) -> Iterator[Problem]:
    """Yield whose CA, and whose chain, is another's; `anchors` are the CA of this machine."""
    trusted = _prints(anchors)

    def ours(value: frozenset[str]) -> bool:
        return value <= trusted

    for each in _differences([(one.server, _prints(one.ca)) for one in said if one.ca], ours):
        yield CA.problem(
            f"{each.other.address} hands out another CA ({_short(each.value)}) than {each.kept.address} "
            f"({_short(each.wanted)})",
            _carried(each.kept, each.other),
            path=each.other.path,
        )
    known = (*anchors, *(each for one in said for each in one.ca))
    issuers = [(one.server, frozenset(_issuer(chain, known) for chain in one.chains)) for one in said]
    for each in _differences([(server, value) for server, value in issuers if value], ours):
        yield ISSUER.problem(
            f"the chain of {each.other.address} is of another authority ({_short(each.value)}) than that of "
            f"{each.kept.address} ({_short(each.wanted)})",
            _carried(each.kept, each.other),
            path=each.other.path,
        )


def zones(said: Sequence[Answers], leased: frozenset[str]) -> Iterator[Problem]:
    """Yield whose records are others, and whose serials; those of `leased` zones rise with names of leases, too."""
    unlike: dict[tuple[Server, Server], list[str]] = {}
    for name, type_ in dict.fromkeys(question for each in said for question in each.records):
        told = [(each.server, each.records[name, type_]) for each in said if (name, type_) in each.records]
        for found in _differences(told):
            unlike.setdefault((found.kept, found.other), []).append(
                f"{name} {format_type(type_)} is {_listed(found.value)} at {found.other.address}, and "
                f"{_listed(found.wanted)} at {found.kept.address}"
            )
    for (_, other), texts in unlike.items():
        more = f"; {len(texts) - 1} more differ" if len(texts) > 1 else ""
        yield ZONE.problem(f"{texts[0]}{more}", path=other.path)
    told_of = {server.address for pair in unlike for server in pair}
    for zone in dict.fromkeys(name for each in said for name in each.serials):
        there = [(each.server, each.serials[zone]) for each in said if zone in each.serials]
        newest, serial = there[0]
        for server, other_serial in there[1:]:
            if is_greater(other_serial, serial):
                newest, serial = server, other_serial
        for server, other_serial in there:
            if other_serial != serial and not {server.address, newest.address} <= told_of:
                yield _serial(zone, (newest, serial), (server, other_serial), leased=zone in leased)


def _serial(zone: str, newest: tuple[Server, int], older: tuple[Server, int], *, leased: bool) -> Problem:
    why = ", though the records that were asked for are the same"
    return ZONE.problem(
        f"zone {zone} has the serial {older[1]} at {older[0].address}, and {newest[1]} at {newest[0].address}{why}"
        f"{': names of leases change it too' if leased else ''}",
        _renewed(newest[0], older[0]),
        path=older[0].path,
        severity="info" if leased else "warning",
    )


def profiles(
    said: Sequence[Answers], provision: Provision, secrets: Secrets, names: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield whose profiles do not open with the keys of this machine, and whose are others; `names` are phones, by MAC."""
    locked: dict[Server, list[str]] = {}
    unlike: dict[tuple[Server, Server], list[str]] = {}
    open_at: set[Server] = set()
    for file in dict.fromkeys(file for each in said for file in each.files):
        mac = file[0]
        device = provision.devices.get(mac, Device(mac))
        opened = []
        for each in said:
            if file not in each.files:
                continue
            content = read_file(each.files[file], device, secrets)
            if content.locked:
                locked.setdefault(each.server, []).append(names[mac])
                continue
            if content.sealed:
                open_at.add(each.server)
            opened.append((each.server, replace(content, address=each.server.address)))
        for found in _differences(opened, same=_same):
            unlike.setdefault((found.kept, found.other), []).append(names[mac])
    for server, phones in locked.items():
        kept = next((each for each in open_at if each not in locked), None)
        yield KEY.problem(
            f"the profile of {_some(phones)} from {server.address} does not open with the key that follows from the "
            f"secrets here{f', and that from {kept.address} does' if kept else ''}",
            _secrets_carried(provision.secrets, kept, server) if kept else "",
            path=server.path,
        )
    for (kept, other), phones in unlike.items():
        yield PROFILE.problem(
            f"{other.address} gives {_some(phones)} another profile than {kept.address}", path=other.path
        )


@dataclass(frozen=True, slots=True)
class Content:
    """A phone's file: how it was answered, whether it was encrypted, and what is in it; `locked` if no key here
    opens it; `address` is of the server that gave it.
    """

    status: int
    plain: bytes = b""
    sealed: bool = False
    locked: bool = False
    address: str = ""


def read_file(answer: Response, device: Device, secrets: Secrets) -> Content:
    """Read a phone's file with the key that follows from these secrets; without one, that it is encrypted is all."""
    if not 200 <= answer.status < 300:
        return Content(answer.status)
    coded = answer.header("Content-Encoding") == "aes128gcm"
    body = answer.body
    sealed = coded or body.startswith(MAGIC)
    key = secrets.profile_key(device.mac)
    if sealed and not key:
        return Content(answer.status, sealed=True)
    try:
        if sealed and key:
            body = (
                decrypt_gcm(body, decode_ikm(key, device.policy.ikm))
                if coded
                else open_cbc(body, key, expected=device.policy.digest or digest_of(device.firmware)).plain
            )
        body = decompress(body)
    except Malformed:
        return Content(answer.status, body, sealed, locked=sealed)
    # One wrong key in 256 gives something, and that is no profile.
    return Content(answer.status, body, sealed, locked=sealed and not body.lstrip().startswith(b"<"))


def _same(one: Content, other: Content) -> bool:
    """Say whether two servers give the same, but for the addresses by which each leads on to itself."""
    if (one.status, one.sealed) != (other.status, other.sealed):
        return False
    if one.plain == other.plain:
        return True
    values, others = one.plain.split(b"<"), other.plain.split(b"<")
    return len(values) == len(others) and all(
        mine == its or _led_on(mine, one.address) == _led_on(its, other.address)
        for mine, its in zip(values, others, strict=True)
    )


def _led_on(value: bytes, address: str) -> bytes:
    """Return one value of a profile with a server's own address, and the port there, replaced."""
    own = rb"(?<![\d.])" + re.escape(address.encode()) + rb"(?::\d+|(?![\d.]))"
    return re.sub(own, b"$SERVER", value)


def _differences(
    told: Sequence[tuple[Server, T]],
    right: Callable[[T], bool] = lambda _: False,
    *,
    same: Callable[[T, T], bool] = eq,
) -> Iterator[Difference[T]]:
    """Yield who says otherwise than the first that is `right`, or else than most do, or the first."""
    groups: list[list[tuple[Server, T]]] = []
    for each in told:
        group = next((group for group in groups if same(group[0][1], each[1])), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    if len(groups) < 2:
        return
    kept = next((group for group in groups if right(group[0][1])), None) or max(groups, key=len)
    for group in groups:
        if group is not kept:
            for server, value in group:
                yield Difference(*kept[0], server, value)


def _leased(plan: Plan) -> frozenset[str]:
    """Return the zones that hold names of leases."""
    networks = [each.subnet for each in plan.site.networks]
    reverse = [origin for each in networks for origin in reverse_zones(each)]
    return frozenset(map(format_host, (*plan.dns.lease_domains.values(), *reverse)))


def _prints(certificates: Sequence[Certificate]) -> frozenset[str]:
    return frozenset(each.fingerprint for each in certificates)


def _issuer(chain: Sequence[Certificate], known: Sequence[Certificate]) -> str:
    """Return the fingerprint of the CA that a chain ends at, or the name that its last certificate gives it."""
    last = chain[-1]
    return next(
        (each.fingerprint for each in known if last.fingerprint == each.fingerprint or last.issued_by(each)),
        last.issuer,
    )


def _short(prints: frozenset[str]) -> str:
    return ", ".join(sorted(each if "=" in each else f"SHA-256 {each[:16]}…" for each in prints))


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "nothing"


def _some(names: Sequence[str]) -> str:
    phones = [*dict.fromkeys(names)]
    more = f" and {len(phones) - 1} more" if len(phones) > 1 else ""
    return f"{phones[0]}{more}"


def _carried(kept: Server, other: Server) -> str:
    return (
        f"`netprov state export site.netprov` at {kept.address}, `netprov state import --replace site.netprov` at "
        f"{other.address}, then `netprov reload` there"
    )


def _secrets_carried(place: SecretsPlace, kept: Server, other: Server) -> str:
    """Return how secrets get from one to the other: what is kept outside the state directory is not exported."""
    if place == SecretsPlace():
        return _carried(kept, other)
    where = place.file or place.environment or place.credential
    return (
        f"give {other.address} the secrets of {kept.address} ({where}), then `netprov reload http tftp` there"
    )


def _renewed(newest: Server, older: Server) -> str:
    return (
        f"give {older.address} the inventory of {newest.address}, then `netprov reload dns` there; if they have the same: "
        f"`netprov state export site.netprov` at {newest.address}, `netprov state import site.netprov` at "
        f"{older.address}, and start dns there anew"
    )
