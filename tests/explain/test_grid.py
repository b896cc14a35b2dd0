"""Causes by methods: every verb that speaks of a situation names the cause that was planted, or says that it cannot see it.

Each situation is a LAN in memory: the services as planned, with one answer replaced. An emulated phone boots on it, and what
it did is given to each verb as that verb would have met it: the inventory, the events of the servers, a capture, the
services themselves. What is expected is written down here, and asked of no code.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.check import check
from netprov.cli.verb.explain import command
from netprov.cwmp.device import InformReceived
from netprov.dhcp.lease import Bound, LeaseState
from netprov.dhcp.lease import Lease as DhcpLease
from netprov.doctor.trip import walk as examine
from netprov.explain.promise import PlanWorld
from netprov.inventory.load import parse
from netprov.machine import Dropped, Endpoint, Event
from netprov.phone.action import (
    Action,
    AskDhcp,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Result,
    Step,
    Trouble,
)
from netprov.phone.boot import boot
from netprov.phone.handset.memory import Handset
from netprov.phone.walk import walk
from netprov.plan import Plan, derive
from netprov.plan.phone import identity_of
from netprov.provision.event import Asked, RequestRefused, TlsFailed
from netprov.state.clock import LeaseClock
from netprov.state.device import DeviceRecords
from netprov.state.lease import open_store
from tests.explain.wire import write

MAC = "00:12:34:ab:45:de"
OCTETS = bytes.fromhex(MAC.replace(":", ""))
NOW = 1_800_000_000.0
Plant = Callable[[Action], Result | None]

SITE = """domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1}}}}
srv: {srv}
classes: {{desk: {{{method}}}}}
phones: [{{mac: '{mac}', model: CP-8851-3PCC, class: desk{phone}}}]
{more}
"""
HTTPS = "{https: [{target: netprov, port: 443}], http: []}"
HTTP = "{https: [], http: [{target: netprov, port: 80}]}"
NO_SRV = "{https: [], http: []}"

BLIND = frozenset({"asked-nothing", "asked-no-more", "not-captured", "dhcp-unheard"})
"""Causes by which a verb says that it cannot see what happened."""

FINE = ""


@dataclass(frozen=True)
class Method:
    """One way to a profile."""

    name: str
    srv: str
    text: str
    scheme: str


METHODS = {
    each.name: each
    for each in (
        Method("srv-https", HTTPS, "method: srv", "https"),
        Method("srv-http", HTTP, "method: srv", "http"),
        Method("66-http", NO_SRV, "method: dhcp, options: {66: 'http://10.20.0.1/$PSN.xml'}", "http"),
        Method("160-http", NO_SRV, "method: dhcp, options: {160: 'http://10.20.0.1/$PSN.xml'}", "http"),
        Method("159-http", NO_SRV, "method: dhcp, options: {159: 'http://10.20.0.1'}", "http"),
        Method(
            "66-https", NO_SRV, "method: dhcp, options: {66: 'https://netprov.example.com/$PSN.xml'}", "https"
        ),
        Method("66-tftp", NO_SRV, "method: dhcp, options: {66: 10.20.0.1}", "tftp"),
        Method("160-tftp", NO_SRV, "method: dhcp, options: {160: 'tftp://10.20.0.1/$PSN.xml'}", "tftp"),
        Method("150-tftp", NO_SRV, "method: dhcp, options: {150: [10.20.0.1]}", "tftp"),
        Method("acs", HTTP, "method: acs, acs_url: 'http://10.20.0.1:7547/'", "acs"),
    )
}


@dataclass(frozen=True)
class Situation:
    """One LAN with one thing wrong, or nothing.

    `truth` is the cause, in the ids of `explain`. `checked` are the ids by which `check` names it, empty where the
    inventory is right. `records` are what the records may say instead of the truth; they may be blind, and captures of
    HTTPS.
    """

    name: str
    method: Method
    truth: str = FINE
    plant: Plant = lambda _action: None
    phone: str = ""
    more: str = ""
    text: str = ""
    checked: frozenset[str] = frozenset()
    promised: bool = False
    records: frozenset[str] = frozenset()

    @property
    def inventory(self) -> str:
        return SITE.format(
            srv=self.method.srv,
            method=self.text or self.method.text,
            mac=MAC,
            phone=self.phone,
            more=self.more,
        )


# The faults of services: what is answered instead.


def on(scheme: str, result: Result) -> Plant:
    """Answer every GET of a scheme so, but for the CA's file."""

    def plant(action: Action) -> Result | None:
        if not isinstance(action, Fetch) or action.url.path == "/ca.pem":
            return None
        managed = action.method == "POST"
        if scheme == "tftp" and action.url.scheme != "tftp":
            return Failed(Trouble.REFUSED)  # a bare address is asked by HTTP and HTTPS too
        wanted = managed if scheme == "acs" else (action.url.scheme == scheme and not managed)
        return result if wanted else None

    return plant


def names(kind: str, result: Result) -> Plant:
    return lambda action: result if isinstance(action, Resolve) and action.type == kind else None


def lease(result: Result) -> Plant:
    return lambda action: result if isinstance(action, AskDhcp) else None


WEB: tuple[tuple[str, Result], ...] = (
    ("port-closed", Failed(Trouble.REFUSED)),
    ("server-silent", Failed(Trouble.TIMEOUT)),
    ("unreachable", Failed(Trouble.UNREACHABLE)),
    ("closed-early", Failed(Trouble.RESET)),
)
STATUSES: tuple[tuple[str, Result], ...] = (
    ("unauthorized", Response(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))),
    ("forbidden", Response(403)),
    ("file-missing", Response(404)),
    ("bad-request", Response(410)),
    ("server-error", Response(500)),
    ("server-error", Response(503)),
    ("redirect", Response(302)),
    ("redirect", Response(307, headers=(("Location", "/x"),))),
)
BODIES: tuple[tuple[str, bytes], ...] = (
    ("empty-file", b""),
    ("corrupt", b"<flat-profile><A>"),
    ("index-page", b"<!DOCTYPE html><html>hello</html>"),
    ("encrypted", b"Salted__" + bytes(40)),
)
TFTP: tuple[tuple[str, Result], ...] = (
    ("tftp-silent", Failed(Trouble.TIMEOUT)),
    ("tftp-closed", Failed(Trouble.REFUSED)),
    ("tftp-stalled", Failed(Trouble.STALLED)),
    ("tftp-refused", Failed(Trouble.TRANSFER)),
    ("file-missing", Failed(Trouble.NOT_FOUND)),
)
TLS: tuple[tuple[str, Result], ...] = (
    ("tls-untrusted", Failed(Trouble.UNTRUSTED)),
    ("tls-wrong-name", Failed(Trouble.WRONG_NAME)),
    ("tls-expired", Failed(Trouble.EXPIRED)),
    ("not-tls", Failed(Trouble.NOT_TLS)),
)
ACS: tuple[tuple[str, Result], ...] = (
    ("acs-unreachable", Failed(Trouble.REFUSED)),
    ("acs-unreachable", Failed(Trouble.TIMEOUT)),
    ("acs-refuses", Response(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))),
    ("acs-refuses", Response(403)),
    ("acs-refuses", Response(404)),
    ("acs-refuses", Response(500)),
)
DNS: tuple[tuple[str, Result], ...] = (
    ("dns-silent", Failed(Trouble.TIMEOUT)),
    ("dns-closed", Failed(Trouble.REFUSED)),
    ("dns-refused", Failed(Trouble.DNS_REFUSED)),
    ("dns-failed", Failed(Trouble.DNS_FAILED)),
)


def of_services() -> Iterator[Situation]:
    """Yield situations whose inventory is right and whose services are not."""
    for method in METHODS.values():
        yield Situation("healthy", method)
        yield Situation("dhcp-nak", method, "dhcp-nak", lease(Failed(Trouble.DHCP_NAK)))
        yield Situation(
            "dhcp-no-ack",
            method,
            "dhcp-no-ack",
            lease(Failed(Trouble.DHCP_NO_ACK)),
        )
        yield Situation("dhcp-silent", method, "dhcp-silent", lease(Failed(Trouble.TIMEOUT)))
        answers: list[tuple[str, Result]] = []
        match method.scheme:
            case "http":
                answers = [*WEB, *STATUSES, *((cause, Response(200, body)) for cause, body in BODIES)]
            case "tftp":
                answers = [*TFTP, *((cause, Response(200, body)) for cause, body in BODIES)]
            case "https":
                answers = [*WEB, *TLS]
            case "acs":
                answers = list(ACS)
        for number, (cause, result) in enumerate(answers):
            hint = frozenset({"tls-rejected"} if cause in {"tls-wrong-name", "tls-expired"} else ())
            # OpenSSL, which plays the phone, has one alert for a wrong name and for more.
            yield Situation(f"{number}-{cause}", method, cause, on(method.scheme, result), records=hint)
        if method.name.startswith("srv"):
            for cause, failed in DNS:
                yield Situation(f"SRV {cause}", method, cause, names("SRV", failed))
            yield Situation("SRV srv-missing", method, "srv-missing", names("SRV", Failed(Trouble.NXDOMAIN)))
            yield Situation("SRV nodata", method, "srv-missing", names("SRV", Failed(Trouble.NODATA)))
            yield Situation("A target", method, "target-no-address", names("A", Failed(Trouble.NXDOMAIN)))
        if method.name == "66-https":
            for cause, failed in (*DNS, ("host-no-address", Failed(Trouble.NXDOMAIN))):
                yield Situation(f"A {cause}", method, cause, names("A", failed))


# The faults of inventories, which services as planned repeat.

RULES: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("http://nowhere.example.com/x.xml", "host-no-address", frozenset({"rule-host-unknown"})),
    ("https://nowhere.example.com/x.xml", "host-no-address", frozenset({"rule-host-unknown"})),
    ("gds://", "activation", frozenset()),
    ("[--srv] tftp://example.com/x.xml", "bad-rule", frozenset({"rule-srv-tftp", "rule-refused"})),
    ("ftp://10.20.0.1/x.xml", "bad-rule", frozenset({"rule-scheme", "rule-refused"})),
    ("http://10.20.0.99/x.xml", "port-closed", frozenset()),
)


def of_inventories() -> Iterator[Situation]:
    """Yield situations that follow from the inventory."""
    planned = partial(Situation, promised=True)
    for method in METHODS.values():
        if method.scheme == "acs":
            continue
        for rule, cause, ids in RULES:
            yield planned(
                f"then {rule}",
                method,
                cause,
                phone=f", values: {{Profile_Rule: '{rule}'}}",
                checked=ids,
            )
        for path, status, cause in (("/$PSN.xml", 403, "forbidden"), ("/$PSN.xml", 500, "server-error")):
            if method.scheme == "http" and method.name != "159-http":
                more = f"provisioning: {{statuses: {{'{path}': {status}, '/Cisco/$PN/$MA.cfg': {status}, '/Cisco/$MA.cfg': {status}}}}}"
                yield planned(f"status {status}", method, cause, more=more)
    for code in (66, 159, 160):
        text = f"method: dhcp, options: {{{code}: 'http://nowhere.example.com/$PSN.xml'}}"
        ids = frozenset({"option-host-unknown"})
        yield planned(f"{code} host", METHODS["66-http"], "host-no-address", text=text, checked=ids)
        text = f"method: dhcp, options: {{{code}: 'http://10.20.0.99/$PSN.xml'}}"
        yield planned(f"{code} dead", METHODS["66-http"], "port-closed", text=text)
        text = f"method: dhcp, options: {{{code}: 'http://10.20.0.1/nothing.cfg'}}"
        yield planned(f"{code} elsewhere", METHODS["66-http"], FINE, text=text)
    locks = (
        "encryption: {}",
        "encryption: {method: aes128gcm}",
        "auth: {scheme: basic}",
        "auth: {scheme: digest}",
    )
    for lock in locks:
        for name in ("srv-https", "66-http", "66-tftp", "66-https"):
            method = METHODS[name]
            yield planned(f"locked by {lock}", method, FINE, text=f"{method.text}, {lock}")
    for name in ("srv-https", "66-https"):
        yield planned("TLS 1.3", METHODS[name], "tls-version", more="certificates: {tls_min: '1.3'}")
        more = "certificates: {client_certificates: required}"
        yield planned("no client certificate", METHODS[name], "client-certificate", more=more)
    none = replace(METHODS["srv-http"], srv=NO_SRV)
    yield planned("no SRV", none, "srv-missing", checked=frozenset({"srv-none"}))
    away = replace(METHODS["srv-http"], srv="{https: [], http: [{target: nowhere, port: 80}]}")
    yield planned("no target", away, "target-no-address", checked=frozenset({"srv-target-address"}))
    more = "acs: {credentials: {username: phone, password: secret}}"
    yield planned("ACS password", METHODS["acs"], "acs-refuses", more=more)
    loop = "provisioning: {redirects: {'/$PSN.xml': 'http://10.20.0.1/$PSN.xml'}}"
    yield planned("redirect loop", METHODS["66-http"], "redirect", more=loop)


SITUATIONS = [*of_services(), *of_inventories()]


# The LAN, and what each verb is given.


@dataclass
class Lan:
    """The services of a plan, with one answer replaced."""

    plan: Plan
    world: PlanWorld
    plant: Plant

    def __call__(self, action: Action) -> Result:
        planted = self.plant(action)
        return self.world(action) if planted is None else planted

    async def resolve(self, name: str, kind: str, servers: tuple[str, ...]) -> Found | Failed:
        result = self(Resolve(name, kind, servers))
        assert isinstance(result, Found | Failed)
        return result

    async def ask(self, action: Fetch) -> Response | Failed:
        result = self(action)
        assert isinstance(result, Response | Failed)
        return result


def events(lan: Lan, steps: list[Step]) -> Iterator[tuple[str, Event]]:
    """Yield what the servers would report of a boot."""
    address = "0.0.0.0"
    for step in steps:
        match step.action, step.result:
            case AskDhcp() as asked, Lease() as given:
                address = given.address
                number = int(IPv4Address(address))
                held = DhcpLease(
                    number,
                    "voice",
                    OCTETS,
                    OCTETS,
                    LeaseState.BOUND,
                    0,
                    1e12,
                    vendor_class=asked.vendor_class,
                )
                yield "dhcp", Bound(held)
            case AskDhcp(), Failed(Trouble.DHCP_UNSERVED as trouble):
                yield "dhcp", Dropped(str(trouble), Endpoint("0.0.0.0", 68, "lan0", OCTETS))
            case Fetch() as asked, result:
                yield from served(lan, asked, result, address)


ALERTS = {
    Trouble.UNTRUSTED: "tlsv1 alert unknown ca",
    Trouble.WRONG_NAME: "sslv3 alert bad certificate",
    Trouble.EXPIRED: "sslv3 alert certificate expired",
    Trouble.CLIENT_CERTIFICATE: "peer did not return a certificate",
    Trouble.TLS: "unsupported protocol",
}
TFTP_STATUS = {Trouble.NOT_FOUND: 404, Trouble.TRANSFER: 403}


def served(lan: Lan, asked: Fetch, result: Result, address: str) -> Iterator[tuple[str, Event]]:
    """Yield what one fetch leaves behind at a server that it reached."""
    url = asked.url
    if asked.method == "POST":
        if isinstance(result, Response) and result.status < 300 and asked.body:
            yield "acs", InformReceived("d", MAC, address, ("0 BOOTSTRAP",), listed=True)
        elif isinstance(result, Response) and result.status == 401:
            yield "acs", RequestRefused("http", address, 401, "credentials wanted")
        return
    if isinstance(result, Failed):
        if url.scheme == "tftp" and result.trouble in TFTP_STATUS:
            yield "tftp", Asked("tftp", address, "RRQ", url.path, TFTP_STATUS[result.trouble], mac=MAC)
        elif url.scheme == "https" and result.trouble in ALERTS:
            yield "http", TlsFailed(address, ALERTS[result.trouble], asked.address)
        return
    assert isinstance(result, Response)
    kind = ""
    if result.status == 200:
        own = url.path.endswith(f"{MAC.replace(':', '')}.cfg")
        kind = "ca" if url.path == "/ca.pem" else "profile"
        if kind == "profile" and lan.plant(asked) is not None:
            kind = "file"  # what is planted is somebody's file, of which a server knows no more
        elif kind == "profile" and not own and locked(lan):
            kind = "bootstrap"
    reason = result.header("Location") if result.status in {301, 302} else ""
    verb = "RRQ" if url.scheme == "tftp" else "GET"
    size = len(result.body)
    yield url.scheme, Asked(url.scheme, address, verb, url.path, result.status, kind, size, MAC, reason)


def locked(lan: Lan) -> bool:
    policy = lan.plan.provision.devices[MAC].policy
    return policy.encryption != "none" or policy.auth is not None


def recorded(state: Path, told: list[tuple[str, Event]]) -> None:
    async def run() -> None:
        records = DeviceRecords(state)
        await records.start()
        for service, event in told:
            records.observe(service, event)
        await records.stop()

    asyncio.run(run())
    leases = [event for _, event in told if isinstance(event, Bound)]
    if leases:
        store = open_store(state)
        store.commit(leases, LeaseClock(None).anchor())
        store.close()


@dataclass(frozen=True)
class Said:
    """What a verb says: the cause, FINE, or that it cannot see."""

    cause: str
    blind: bool = False


def said(arguments: list[str]) -> Said:
    result = CliRunner().invoke(command, [*arguments, "--json"], standalone_mode=False)
    if result.exception:
        raise result.exception
    (story,) = json.loads(result.output)
    cause = story["cause"]["rule"] if story["cause"] else FINE
    assert story["provisioned"] == (cause == FINE)
    return Said(cause, cause in BLIND or bool(story["hidden"]))


@pytest.mark.parametrize(
    "situation", SITUATIONS, ids=[f"{each.method.name}: {each.name}" for each in SITUATIONS]
)
def test_no_verb_contradicts_what_the_phone_met(situation: Situation, tmp_path: Path) -> None:
    truth = situation.truth
    site = tmp_path / "site.yaml"
    site.write_text(situation.inventory)
    inventory = parse(situation.inventory, "site.yaml").inventory
    plan = derive(inventory)
    state = tmp_path / "state"
    state.mkdir()
    lan = Lan(plan, PlanWorld(plan, state, NOW), situation.plant)
    identity = replace(identity_of(plan.site.phones[0]), custom_roots=(lan.world.ca,))
    handset = Handset(identity, lambda _below: 0)
    outcome, steps = walk(handset, boot(handset), lan)
    assert outcome.provisioned == (truth == FINE), outcome

    errors = {each.rule for each in check(inventory, NOW) if each.severity == "error"}
    assert bool(errors & situation.checked) == bool(situation.checked), errors
    assert errors <= situation.checked

    opened = ["-f", str(site), "--state", str(state)]
    told = said(["phone", MAC, "--trusting", *opened])
    assert told.cause == (truth if situation.promised else FINE)

    recorded(state, list(events(lan, steps)))
    told = said(["records", MAC, *opened])
    assert told.cause in {truth, *situation.records} or told.blind, ("records", told)

    write(tmp_path / "phones.pcap", MAC, steps)
    told = said(["capture", str(tmp_path / "phones.pcap"), MAC, "-f", str(site)])
    assert told.cause == truth or told.blind, ("capture", told)
    if situation.method.scheme != "https" and truth != FINE:
        assert not told.blind, ("capture", told)

    given = steps[0].result
    if isinstance(given, Lease) and situation.method.scheme != "acs":
        story = asyncio.run(examine(lan, replace(identity, custom_roots=(lan.world.ca,)), given, ()))
        assert (story.cause.id if story.cause else FINE) == truth, ("doctor", story)


def test_the_grid_is_as_large_as_promised() -> None:
    assert len(SITUATIONS) >= 200
    assert len({each.truth for each in SITUATIONS}) >= 35
