"""A grid of faults on real services: the phone of each row meets one, and the table says by which names the verbs may call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.explain.situations import FINE
from tests.lab import crooked
from tests.lab.crooked import ADDRESS, NAME

WEB = f"http://{ADDRESS}:{crooked.WEB}"

SITE = """domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1}}
certificates: {ca_key: ecdsa-p256, keys: ecdsa-p256, name_constraints: false}
srv: {https: [{target: netprov, port: 443}], http: []}
records:
  - {name: far, type: A, data: 10.20.0.11}
  - {name: away, type: A, data: 10.20.0.77}
  - {name: empty, type: TXT, data: '"nothing here"'}
  - {name: _ciscoprov-http._tcp.lost, type: SRV, data: 1 1 80 nowhere}
  - {name: _ciscoprov-https._tls.none, type: SRV, data: 0 0 0 .}
  - {name: _ciscoprov-http._tcp.none, type: SRV, data: 0 0 0 .}
  - {name: _ciscoprov-http._tcp.shut, type: SRV, data: 1 1 8005 far}
  - {name: _ciscoprov-https._tls.named, type: SRV, data: 1 1 443 netprov}
  - {name: _ciscoprov-http._tcp.away, type: SRV, data: 1 1 80 away}
provisioning:
  statuses: {/c403.xml: 403, /c500.xml: 500}
  redirects: {/loop.xml: 'http://10.20.0.1/loop.xml'}
"""


@dataclass(frozen=True)
class Row:
    """A phone of a class of its own; `truth` is what it meets, in the ids of `explain`.

    `doctor` is how the doctor may name it; `checked` how `check` does, where the inventory shows it. `ours` says that
    only servers of the inventory have a part in it, so that `explain phone` has to know.
    """

    name: str
    klass: str
    truth: str = FINE
    doctor: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()
    phone: str = ""
    ours: bool = False
    felt: str = ""
    """What the phone itself can tell of it, where that is less."""


def by(option: str, truth: str = FINE, *doctor: str, name: str = "", **more: Any) -> Row:
    """A phone that option 160 leads somewhere."""
    return Row(
        name or option, f"method: dhcp, options: {{160: '{option}'}}", truth, frozenset(doctor), **more
    )


def under(domain: str, truth: str, *doctor: str, checked: tuple[str, ...] = (), felt: str = "") -> Row:
    """A phone that option 15 gives another domain."""
    klass = f"method: srv, options: {{15: {domain}.example.com}}"
    ours = domain not in {"shut", "away"}
    return Row(f"under {domain}", klass, truth, frozenset(doctor), frozenset(checked), ours=ours, felt=felt)


def far(port: int) -> str:
    return f"https://{NAME}:{port}/good"


def tftp(port: int, name: str = "good") -> str:
    return f"tftp://{ADDRESS}:{port}/{name}"


def acs(port: int, truth: str, *doctor: str) -> Row:
    klass = f"method: acs, acs_url: 'http://{ADDRESS}:{port}/'"
    return Row(f"ACS at {port}", klass, truth, frozenset(doctor))


def then(rule: str, truth: str, *doctor: str, checked: tuple[str, ...] = (), ours: bool = True) -> Row:
    """A phone whose first profile is right and names another."""
    klass = "method: dhcp, options: {66: 'http://10.20.0.1/$PSN.xml'}"
    phone = f", values: {{Profile_Rule: '{rule}'}}"
    return Row(f"then {rule}", klass, truth, frozenset(doctor), frozenset(checked), phone, ours)


OURS = (
    Row("srv", "method: srv", ours=True),
    Row("66 http", "method: dhcp, options: {66: 'http://10.20.0.1/$PSN.xml'}", ours=True),
    Row("66 tftp", "method: dhcp, options: {66: 10.20.0.1}", ours=True),
    Row("150", "method: dhcp, options: {150: [10.20.0.1]}", ours=True),
    Row("ACS", "method: acs, acs_url: 'http://10.20.0.1:7547/'", ours=True),
    Row("key", "method: srv, encryption: {}", ours=True),
    Row("8188", "method: srv, encryption: {method: aes128gcm}", ours=True),
    Row("digest", "method: srv, auth: {scheme: digest}", ours=True),
    Row("basic over TFTP", "method: dhcp, options: {66: 10.20.0.1}, auth: {scheme: basic}", ours=True),
    by("http://10.20.0.1/c403.xml", "forbidden", "doctor-path", ours=True),
    by("http://10.20.0.1/c500.xml", "server-error", "doctor-server-error", ours=True),
    by("http://10.20.0.1/loop.xml", "redirect", "redirect", ours=True),
    by("http://nowhere.example.com/x", "host-no-address", "doctor-target-address", ours=True,
       checked=frozenset({"option-host-unknown"})),
    under("empty", "srv-missing", "srv-missing", checked=("option-domain-differs",)),
    under("lost", "target-no-address", "doctor-target-address"),
    under("none", "srv-no-service", "srv-no-service"),
    under("shut", "port-closed", "doctor-port-closed"),
    under("named", "tls-wrong-name", "cert-san-domain", checked=("option-domain-differs",)),
    under("away", "unreachable", "doctor-host-down", felt="server-silent"),
    then("gds://", "activation", "activation"),
    then("[--srv] tftp://example.com/x", "bad-rule", "bad-rule", checked=("rule-srv-tftp", "rule-refused")),
    then("http://nowhere.example.com/x", "host-no-address", "host-no-address", checked=("rule-host-unknown",)),
    then(f"{WEB}/missing", "file-missing", "file-missing", ours=False),
    then(f"http://{ADDRESS}:{crooked.CLOSED}/x", "port-closed", "port-closed", ours=False),
    then(f"{WEB}/good", FINE, ours=False),
)  # fmt: skip
THEIRS = (
    Row(
        "name without DNS",
        f"method: dhcp, options: {{66: 'http://{NAME}:{crooked.WEB}/good', 6: [{ADDRESS}]}}",
        "dns-closed",
        frozenset({"doctor-dns-silent"}),
    ),
    Row("two of 150", f"method: dhcp, options: {{150: [{ADDRESS}, 10.20.0.1]}}"),
    Row(
        "66 dead, 160 good",
        f"method: dhcp, options: {{66: 'http://{ADDRESS}:{crooked.CLOSED}/x', 160: '{WEB}/good'}}",
    ),
    Row(
        "160 of no use",
        "method: dhcp, options: {160: 'ftp://10.20.0.1/x'}",
        checked=frozenset({"option-url-invalid"}),
    ),
    *(by(f"{WEB}/{page}") for page in ("good", "gzip", "coded", "moved", "tls", "then-good")),
    by(f"http://{ADDRESS}:{crooked.RUDE}/x", "closed-early", "doctor-connection-cut"),
    by(f"http://{ADDRESS}:{crooked.SSH}/x", "not-http", "doctor-answer"),
    by(f"http://{ADDRESS}:{crooked.CLOSED}/x", "port-closed", "doctor-port-closed"),
    by("http://10.20.0.77/x", "unreachable", "doctor-host-down", felt="server-silent"),
    by(f"{WEB}/401", "unauthorized", "doctor-locked"),
    by(f"{WEB}/403", "forbidden", "doctor-path"),
    by(f"{WEB}/missing", "file-missing", "doctor-path"),
    by(f"{WEB}/410", "bad-request", "doctor-path"),
    by(f"{WEB}/500", "server-error", "doctor-server-error"),
    by(f"{WEB}/503", "server-error", "doctor-server-error"),
    by(f"{WEB}/nowhere", "redirect", "redirect"),
    by(f"{WEB}/307", "redirect", "redirect"),
    by(f"{WEB}/loop", "redirect", "redirect"),
    by(f"{WEB}/round", "redirect", "redirect"),
    by(f"{WEB}/dead", "port-closed", "port-closed"),
    by(f"{WEB}/lost", "file-missing", "file-missing"),
    by(f"{WEB}/unnamed", "host-no-address", "host-no-address"),
    by(f"{WEB}/stranger", "tls-untrusted", "tls-untrusted"),
    by(f"{WEB}/empty", "empty-file", "doctor-profile"),
    by(f"{WEB}/corrupt", "corrupt", "doctor-profile"),
    by(f"{WEB}/index", "index-page", "doctor-profile"),
    by(f"{WEB}/encrypted", "encrypted", "encrypted"),
    by(f"{WEB}/8188", "encrypted", "encrypted"),
    by(f"{WEB}/then-missing", "file-missing", "file-missing"),
    by(f"{WEB}/then-dead", "port-closed", "port-closed"),
    by(f"{WEB}/then-tftp-srv", "bad-rule", "bad-rule"),
    by(f"{WEB}/then-code", "activation", "activation"),
    by(f"{WEB}/then-srv", "srv-missing", "srv-missing"),
    by(f"{WEB}/then-key", "wrong-key", "wrong-key"),
    by(f"{WEB}/then-back", "rule-circle", "rule-circle"),
    by(f"{WEB}/then-no-ca"),
    by(far(crooked.GOOD_TLS)),
    by(far(crooked.UNTRUSTED), "tls-untrusted", "cert-unknown-ca"),
    by(far(crooked.WRONG_NAME), "tls-wrong-name", "cert-san-domain"),
    by(far(crooked.EXPIRED), "tls-expired", "cert-expired"),
    by(far(crooked.FUTURE), "tls-not-yet", "cert-not-yet-valid"),
    by(far(crooked.TLS13), "tls-version", "doctor-tls"),
    by(far(crooked.CLIENT), "client-certificate", "client-certificate", "doctor-tls"),
    by(far(crooked.NO_INTERMEDIATE), "tls-untrusted", "cert-unknown-ca"),
    by(f"https://{NAME}:{crooked.WEB}/good", "not-tls", "doctor-tls", "doctor-answer"),
    by(f"http://{NAME}:{crooked.GOOD_TLS}/good", "closed-early", "doctor-connection-cut"),
    by(tftp(crooked.TFTP)),
    by(tftp(crooked.TFTP, "missing"), "file-missing", "doctor-path"),
    by(tftp(crooked.TFTP, "forbidden"), "tftp-refused", "doctor-path"),
    by(tftp(crooked.TFTP_MUTE), "tftp-silent", "doctor-host-down"),
    # A kernel sends one machine a few ICMP messages a second: the doctor, which asks for everybody, may hear none.
    by(tftp(crooked.TFTP_CLOSED), "tftp-closed", "doctor-port-closed", "doctor-host-down"),
    by(tftp(crooked.TFTP_STALLS), "tftp-stalled", "doctor-stalled"),
    acs(crooked.ACS_LOCKED, "acs-refuses", "doctor-acs-locked"),
    acs(crooked.ACS_FORBIDS, "acs-refuses", "doctor-acs"),
    acs(crooked.CLOSED, "acs-unreachable", "doctor-port-closed"),
)
SLOW = (by(f"http://{ADDRESS}:{crooked.MUTE}/x", "server-silent", "doctor-host-down"),)


def numbered(*rows: Row) -> dict[str, Row]:
    """Return rows by the MAC addresses of their phones."""
    return {f"00:12:34:00:00:{number:02x}": row for number, row in enumerate(rows, 1)}


def inventory(rows: Mapping[str, Row]) -> str:
    """Return the inventory that all of them share, with a class and a phone of each."""
    classes = "\n".join(f"  c{place}: {{{row.klass}}}" for place, row in enumerate(rows.values()))
    phones = "\n".join(
        f"  - {{mac: '{mac}', model: CP-8851-3PCC, class: c{place}{row.phone}}}"
        for place, (mac, row) in enumerate(rows.items())
    )
    return f"{SITE}classes:\n{classes}\nphones:\n{phones}\n"
