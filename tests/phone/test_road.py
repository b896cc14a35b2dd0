"""The whole road, row by row: what the LAN says, and what a phone then tries, in order (Cisco's guides)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import pytest

from netprov.phone.action import Response, SrvRecord, Trouble
from netprov.phone.handset.customization import Customization
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.handset.memory import Behaviour
from tests.phone.world import CA, PHONE, PROFILE, STAGED, Server, World, attempts, travel

HTTPS, HTTP = "_ciscoprov-https._tls.example.com", "_ciscoprov-http._tcp.example.com"
DOMAIN = {15: b"example.com"}
FIRST, SECOND, SRV_SECOND = (
    "/8851-3PCC.xml",
    "/Cisco/CP-8851-3PCC/001234ab45de.cfg",
    "/Cisco/001234ab45de.cfg",
)


@dataclass(frozen=True)
class Row:
    """One situation and what must follow."""

    name: str
    world: World
    expected: list[str]
    provisioned: bool = True
    identity: Identity = PHONE
    behaviour: Behaviour = field(default_factory=Behaviour)


def serving(*keys: str, path: str = FIRST) -> dict[str, Server]:
    return {key: Server({path: PROFILE}) for key in keys}


PR1 = {"pr1.example.com": ("10.20.0.11",), "pr2.example.com": ("10.20.0.12",), "example.com": ("10.20.0.11",)}
GUIDE = {
    HTTPS: (SrvRecord(10, 60, 5060, "pr1.example.com"), SrvRecord(10, 20, 5060, "pr2.example.com")),
    HTTP: (SrvRecord(10, 50, 5060, "pr1.example.com"), SrvRecord(10, 30, 5060, "pr2.example.com")),
}

ROWS = (
    Row("no lease", World(None), [], provisioned=False),
    Row("nothing at all", World({}), [], provisioned=False),
    Row(
        "a bare address in 66: TFTP first",
        World({66: b"10.20.0.1"}, servers=serving("tftp 10.20.0.1 69")),
        ["tftp://10.20.0.1/8851-3PCC.xml = 200"],
    ),
    Row(
        "a bare address, only the second path there",
        World({66: b"10.20.0.1"}, servers=serving("tftp 10.20.0.1 69", path=SECOND)),
        [
            "tftp://10.20.0.1/8851-3PCC.xml = not_found",
            "tftp://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg = 200",
        ],
    ),
    Row(
        "a bare address, TFTP silent: HTTP after two attempts",
        World({66: b"10.20.0.1"}, servers=serving("http 10.20.0.1 80")),
        [
            "tftp://10.20.0.1/8851-3PCC.xml = timeout",
            "tftp://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg = timeout",
            "http://10.20.0.1/8851-3PCC.xml = 200",
        ],
    ),
    Row(
        "a bare address, only HTTPS, certificate for the address",
        World({66: b"10.20.0.1"}, servers={"https 10.20.0.1 443": Server({SECOND: PROFILE}, ("10.20.0.1",))}),
        [
            "tftp://10.20.0.1/8851-3PCC.xml = timeout",
            "tftp://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg = timeout",
            "http://10.20.0.1/8851-3PCC.xml = refused",
            "http://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg = refused",
            "https://10.20.0.1/8851-3PCC.xml as 10.20.0.1 = 404",
            "https://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg as 10.20.0.1 = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "a bare name is looked up for every rung",
        World({66: b"pr1.example.com"}, PR1, servers=serving("http 10.20.0.11 80")),
        [
            "A pr1.example.com",
            "tftp://pr1.example.com/8851-3PCC.xml at 10.20.0.11 = timeout",
            "A pr1.example.com",
            "tftp://pr1.example.com/Cisco/CP-8851-3PCC/001234ab45de.cfg at 10.20.0.11 = timeout",
            "A pr1.example.com",
            "http://pr1.example.com/8851-3PCC.xml at 10.20.0.11 = 200",
        ],
    ),
    Row(
        "a URL with a path: as it is, then with both paths appended",
        World(
            {160: b"http://10.20.0.1/staging"}, servers=serving("http 10.20.0.1 80", path="/staging" + SECOND)
        ),
        [
            "http://10.20.0.1/staging = 404",
            "http://10.20.0.1/staging/8851-3PCC.xml = 404",
            "http://10.20.0.1/staging/Cisco/CP-8851-3PCC/001234ab45de.cfg = 200",
        ],
    ),
    Row(
        "a URL without a path",
        World({160: b"http://10.20.0.1"}, servers=serving("http 10.20.0.1 80")),
        ["http://10.20.0.1/ = 404", "http://10.20.0.1/8851-3PCC.xml = 200"],
    ),
    Row(
        "an index page in place of a 404 is a corrupt profile",
        World(
            {160: b"http://10.20.0.1"},
            servers={"http 10.20.0.1 80": Server({"/": b"<html/>", FIRST: PROFILE})},
        ),
        ["http://10.20.0.1/ = 200", "http://10.20.0.1/8851-3PCC.xml = 200"],
    ),
    Row(
        "macros in a DHCP option",
        World(
            {160: b"http://10.20.0.1/$MAU.cfg"},
            servers=serving("http 10.20.0.1 80", path="/001234AB45DE.cfg"),
        ),
        ["http://10.20.0.1/001234AB45DE.cfg = 200"],
    ),
    Row(
        "a list: the whole ladder of the first before the second",
        World({66: b"http://10.20.0.8;http://10.20.0.9/x"}, servers=serving("http 10.20.0.9 80", path="/x")),
        [
            "http://10.20.0.8/ = refused",
            "http://10.20.0.8/8851-3PCC.xml = refused",
            "http://10.20.0.8/Cisco/CP-8851-3PCC/001234ab45de.cfg = refused",
            "http://10.20.0.9/x = 200",
        ],
    ),
    Row(
        "option 150 is a list of addresses",
        World({150: bytes([10, 20, 0, 8, 10, 20, 0, 9])}, servers=serving("tftp 10.20.0.9 69")),
        [
            *(f"tftp://10.20.0.8{path} = timeout" for path in (FIRST, SECOND)),
            *(f"http://10.20.0.8{path} = refused" for path in (FIRST, SECOND)),
            *(f"https://10.20.0.8{path} as 10.20.0.8 = refused" for path in (FIRST, SECOND)),
            "tftp://10.20.0.9/8851-3PCC.xml = 200",
        ],
    ),
    Row(
        "66 goes before 160, 160 before 159",
        World(
            {159: b"http://10.20.0.3/c", 160: b"http://10.20.0.2/b", 66: b"http://10.20.0.1/a"},
            servers=serving("http 10.20.0.3 80", path="/c"),
        ),
        [
            *(f"http://10.20.0.1/a{path} = refused" for path in ("", FIRST, SECOND)),
            *(f"http://10.20.0.2/b{path} = refused" for path in ("", FIRST, SECOND)),
            "http://10.20.0.3/c = 200",
        ],
    ),
    Row(
        "66 as four raw octets is of no use; 160 is",
        World(
            {66: bytes([10, 20, 0, 1]), 160: b"http://10.20.0.1/p"},
            servers=serving("http 10.20.0.1 80", path="/p"),
        ),
        ["http://10.20.0.1/p = 200"],
    ),
    Row(
        "a NUL behind the text is dropped",
        World({66: b"http://10.20.0.1/p\0"}, servers=serving("http 10.20.0.1 80", path="/p")),
        ["http://10.20.0.1/p = 200"],
    ),
    Row(
        "an option that leads nowhere keeps the phone off SRV",
        World({66: b"http://10.20.0.1/p", **DOMAIN}, PR1, GUIDE, serving("http 10.20.0.12 5060")),
        [f"http://10.20.0.1/p{path} = refused" for path in ("", FIRST, SECOND)],
        provisioned=False,
    ),
    Row(
        "unless it falls through",
        World(
            {66: b"http://10.20.0.1/p", **DOMAIN}, PR1, {HTTP: GUIDE[HTTP]}, serving("http 10.20.0.12 5060")
        ),
        [
            *(f"http://10.20.0.1/p{path} = refused" for path in ("", FIRST, SECOND)),
            "A example.com",
            f"SRV {HTTPS}",
            f"SRV {HTTP}",
            "A pr2.example.com",
            "http://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 = 200",
        ],
        behaviour=Behaviour(fall_through=True),
    ),
    Row(
        "a useless option does not keep the phone off SRV",
        World({66: b"?", **DOMAIN}, PR1, GUIDE, serving("https 10.20.0.12 5060")),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr2.example.com",
            "https://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 as example.com = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "SRV: lower weight first, certificate for the domain",
        World(DOMAIN, PR1, GUIDE, serving("https 10.20.0.11 5060", "https 10.20.0.12 5060")),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr2.example.com",
            "https://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 as example.com = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "SRV: a target that is down, then the next",
        World(DOMAIN, PR1, GUIDE, serving("https 10.20.0.11 5060")),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr2.example.com",
            "https://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 as example.com = refused",
            "A pr1.example.com",
            "https://pr1.example.com:5060/8851-3PCC.xml at 10.20.0.11 as example.com = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "SRV: the second path has no product name",
        World(DOMAIN, PR1, GUIDE, serving("https 10.20.0.12 5060", path=SRV_SECOND)),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr2.example.com",
            "https://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 as example.com = 404",
            "https://pr2.example.com:5060/Cisco/001234ab45de.cfg at 10.20.0.12 as example.com = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "SRV: a factory phone does not trust the CA, and goes on to HTTP",
        World(
            DOMAIN,
            PR1,
            GUIDE,
            {**serving("https 10.20.0.11 5060", "https 10.20.0.12 5060"), **serving("http 10.20.0.12 5060")},
        ),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr2.example.com",
            "https://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 as example.com = untrusted",
            "A pr1.example.com",
            "https://pr1.example.com:5060/8851-3PCC.xml at 10.20.0.11 as example.com = untrusted",
            f"SRV {HTTP}",
            "A pr2.example.com",
            "http://pr2.example.com:5060/8851-3PCC.xml at 10.20.0.12 = 200",
        ],
    ),
    Row(
        "SRV: a certificate for the target alone does not do",
        World(
            DOMAIN,
            PR1,
            {HTTPS: GUIDE[HTTPS][:1]},
            {"https 10.20.0.11 5060": Server({FIRST: PROFILE}, ("pr1.example.com",))},
        ),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr1.example.com",
            "https://pr1.example.com:5060/8851-3PCC.xml at 10.20.0.11 as example.com = wrong_name",
            f"SRV {HTTP}",
        ],
        provisioned=False,
        identity=STAGED,
    ),
    Row(
        "SRV: every address of a target",
        World(
            DOMAIN,
            {"pr1.example.com": ("10.20.0.21", "10.20.0.22")},
            {HTTPS: GUIDE[HTTPS][:1]},
            serving("https 10.20.0.22 5060"),
        ),
        [
            "A example.com",
            f"SRV {HTTPS}",
            "A pr1.example.com",
            "https://pr1.example.com:5060/8851-3PCC.xml at 10.20.0.21 as example.com = refused",
            "https://pr1.example.com:5060/8851-3PCC.xml at 10.20.0.22 as example.com = 200",
        ],
        identity=STAGED,
    ),
    Row(
        "SRV: priority goes before weight",
        World(
            DOMAIN,
            PR1,
            {HTTP: (SrvRecord(20, 1, 80, "pr1.example.com"), SrvRecord(10, 90, 80, "pr2.example.com"))},
            serving("http 10.20.0.11 80"),
        ),
        [
            "A example.com",
            f"SRV {HTTPS}",
            f"SRV {HTTP}",
            "A pr2.example.com",
            "http://pr2.example.com/8851-3PCC.xml at 10.20.0.12 = refused",
            "A pr1.example.com",
            "http://pr1.example.com/8851-3PCC.xml at 10.20.0.11 = 200",
        ],
    ),
    Row(
        "SRV: a target without address",
        World(DOMAIN, {}, {HTTP: GUIDE[HTTP][:1]}),
        ["A example.com", f"SRV {HTTPS}", f"SRV {HTTP}", "A pr1.example.com"],
        provisioned=False,
    ),
    Row(
        "SRV: the root as target says that there is no service",
        World(DOMAIN, {}, {HTTPS: (SrvRecord(0, 0, 0, ""),)}),
        ["A example.com", f"SRV {HTTPS}", f"SRV {HTTP}"],
        provisioned=False,
    ),
    Row(
        "a redirect is followed at once, macros in it expanded",
        World(
            {160: b"http://10.20.0.1/p"},
            servers={
                "http 10.20.0.1 80": Server(
                    {
                        "/p": Response(302, headers=(("location", "/conf/$MAU.xml"),)),
                        "/conf/001234AB45DE.xml": PROFILE,
                    }
                )
            },
        ),
        ["http://10.20.0.1/p = 302", "http://10.20.0.1/conf/001234AB45DE.xml = 200"],
    ),
    Row(
        "a 401 on a first profile: no credentials, next rung",
        World({160: b"http://10.20.0.1/p"}, servers={"http 10.20.0.1 80": Server({"/p": 401})}),
        [
            "http://10.20.0.1/p = 401",
            "http://10.20.0.1/p/8851-3PCC.xml = 404",
            "http://10.20.0.1/p/Cisco/CP-8851-3PCC/001234ab45de.cfg = 404",
        ],
        provisioned=False,
    ),
    Row(
        "a profile by HTTP brings the CA, its rule goes on by HTTPS",
        World(
            {66: b"10.20.0.1", **DOMAIN},
            PR1,
            {HTTPS: GUIDE[HTTPS][:1]},
            {
                "tftp 10.20.0.1 69": Server(
                    {
                        FIRST: b"<flat-profile><Custom_CA_Rule>http://10.20.0.1/ca.pem</Custom_CA_Rule>"
                        b"<Profile_Rule>[--srv] https://example.com/$MA.xml</Profile_Rule></flat-profile>"
                    }
                ),
                "http 10.20.0.1 80": Server({"/ca.pem": CA.encode()}),
                "https 10.20.0.11 5060": Server({"/001234ab45de.xml": PROFILE}),
            },
        ),
        [
            "tftp://10.20.0.1/8851-3PCC.xml = 200",
            "http://10.20.0.1/ca.pem = 200",
            f"SRV {HTTPS}",
            "A pr1.example.com",
            "https://pr1.example.com:5060/001234ab45de.xml at 10.20.0.11 as example.com = 200",
        ],
    ),
    Row(
        "a profile whose rule cannot be followed leaves the phone unprovisioned",
        World(
            {66: b"10.20.0.1"},
            servers={
                "tftp 10.20.0.1 69": Server(
                    {FIRST: b"<flat-profile><Profile_Rule>http://10.20.0.9/x</Profile_Rule></flat-profile>"}
                )
            },
        ),
        ["tftp://10.20.0.1/8851-3PCC.xml = 200", "http://10.20.0.9/x = refused"],
        provisioned=False,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_phone_tries_what_the_guides_say_in_their_order(row: Row) -> None:
    outcome, steps, _ = travel(row.world, row.identity, row.behaviour)
    assert row.expected == attempts(steps)
    assert row.provisioned == outcome.provisioned


# The ladder of one option value, in full: who listens, which file is there, what the server does with the rest.

VALUES = {
    "address": (b"10.20.0.1", ("tftp", "http", "https")),
    "http": (b"http://10.20.0.1/d", ("http",)),
    "https": (b"https://10.20.0.1/d", ("https",)),
    "tftp": (b"tftp://10.20.0.1/d", ("tftp",)),
    "http alone": (b"http://10.20.0.1", ("http",)),
}
PORTS = {"tftp": 69, "http": 80, "https": 443}
REFUSALS: dict[str, int | Trouble | bytes] = {
    "404": 404,
    "403": 403,
    "500": 500,
    "503": 503,
    "index page": b"<html><body>It works</body></html>",
    "reset": Trouble.RESET,
}


@pytest.mark.parametrize("option", [66, 160, 159])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("place", [0, 1, 2, None])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_ladder_stops_at_the_first_rung_that_holds(
    option: int, value: str, place: int | None, refusal: str
) -> None:
    text, schemes = VALUES[value]
    base = text.decode().partition("://")[2].partition("/")[2]
    prefix = f"/{base}" if base else ""
    paths = [FIRST, SECOND] if value == "address" else [prefix or "/", prefix + FIRST, prefix + SECOND]
    rungs = [(scheme, path) for scheme in schemes for path in paths]
    answer = REFUSALS[refusal]
    servers = {
        f"{scheme} 10.20.0.1 {PORTS[scheme]}": Server(
            {path: answer for s, path in rungs if s == scheme}, ("10.20.0.1",)
        )
        for scheme in schemes
    }
    holds = None if place is None else rungs[place]
    if holds:
        files = servers[f"{holds[0]} 10.20.0.1 {PORTS[holds[0]]}"].files
        files[holds[1]] = PROFILE  # type: ignore[index]
    outcome, steps, _ = travel(World({option: text}, servers=servers), STAGED)
    tried = rungs if place is None else rungs[: place + 1]
    assert [f"{scheme}://10.20.0.1{path}" for scheme, path in tried] == [
        attempt.split(" ", 1)[0] for attempt in attempts(steps)
    ]
    assert outcome.provisioned == (place is not None)
    assert outcome.customization is Customization.ABORTED  # DHCP named a server, whatever came of it (guide)


SERVICES = {"https": (HTTPS,), "http": (HTTP,), "both": (HTTPS, HTTP), "neither": ()}
STATES = ("up", "down", "silent", "404", "untrusted", "wrong name", "no address")


def _target(state: str, scheme: str) -> Server | None:
    match state:
        case "down" | "no address":
            return None
        case "silent":
            return Server(trouble=Trouble.TIMEOUT)
        case "404":
            return Server({})
        case "untrusted":
            return Server({FIRST: PROFILE}, ca="another" if scheme == "https" else CA)
        case "wrong name":
            return Server({FIRST: PROFILE}, names=("pr1.example.com",))
    return Server({FIRST: PROFILE})


@pytest.mark.parametrize("present", SERVICES)
@pytest.mark.parametrize(("first", "second"), list(product(STATES, STATES)))
def test_srv_targets_are_tried_until_one_serves(present: str, first: str, second: str) -> None:
    states = {"pr1": first, "pr2": second}
    addresses = {"pr1": "10.20.0.11", "pr2": "10.20.0.12"}
    names = {f"{n}.example.com": (addresses[n],) for n, state in states.items() if state != "no address"}
    services, servers = {}, {}
    for owner in SERVICES[present]:
        scheme = "https" if owner == HTTPS else "http"
        services[owner] = tuple(
            SrvRecord(10, weight, 5060, f"{name}.example.com") for weight, name in ((7, "pr2"), (3, "pr1"))
        )
        for name, state in states.items():
            server = _target(state, scheme)
            if server:
                servers[f"{scheme} {addresses[name]} 5060"] = server
    expected, done = ["A example.com"], False
    for scheme, owner in (("https", HTTPS), ("http", HTTP)):
        if done:
            break
        expected.append(f"SRV {owner}")
        for name in ("pr1", "pr2") if owner in services else ():
            state = states[name]
            expected.append(f"A {name}.example.com")
            if state == "no address":
                continue
            secure = scheme == "https"
            harmless = state in {"untrusted", "wrong name"} and not secure
            result = (
                "200"
                if state == "up" or harmless
                else {"down": "refused", "silent": "timeout"}.get(state, state)
            )
            end = f" at {addresses[name]}{' as example.com' if secure else ''} = {result.replace(' ', '_')}"
            expected.append(f"{scheme}://{name}.example.com:5060{FIRST}{end}")
            if state == "404":
                expected.append(f"{scheme}://{name}.example.com:5060{SRV_SECOND}{end}")
            if result == "200":
                done = True
                break
    outcome, steps, _ = travel(World(DOMAIN, names, services, servers), STAGED)
    assert expected == attempts(steps)
    assert done == outcome.provisioned


@pytest.mark.parametrize("model", MODELS)
def test_every_model_asks_for_its_own_files(model: str) -> None:
    identity = Identity("00:12:34:ab:45:de", MODELS[model])
    series = model.removeprefix("CP-").removeprefix("DP-")
    _, steps, _ = travel(World({66: b"tftp://10.20.0.1"}), identity)
    assert [
        "tftp://10.20.0.1/ = timeout",
        f"tftp://10.20.0.1/{series}.xml = timeout",
        f"tftp://10.20.0.1/Cisco/{model}/001234ab45de.cfg = timeout",
    ] == attempts(steps)
