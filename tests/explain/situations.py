"""Situations by methods: a LAN with one thing wrong, or nothing, and the cause by which `explain` is to name it.

What is expected is written down here, and asked of no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from netprov.phone.action import Action, AskDhcp, Failed, Fetch, Resolve, Response, Result, Trouble

MAC = "00:12:34:ab:45:de"
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

BLIND = frozenset({"elsewhere", "asked-nothing", "asked-no-more", "not-captured", "dhcp-unheard"})
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
