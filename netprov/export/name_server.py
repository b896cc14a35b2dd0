"""NSD's, Knot's and BIND's configuration from a plan: its zones as master files, who may transfer them, who is notified.

Secrets of TSIG stay where the inventory keeps them: each key is a file to include, named and not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from netprov.dns.message.name import format_host
from netprov.dns.zone.master import format_zone
from netprov.dns.zone.zone import Zone
from netprov.export.written import Export
from netprov.plan import Plan

_NOTE = "Made by `netprov export`."
_ORDER: Mapping[str, str] = {
    "nsd": "NSD answers SRV records in the order of the file",
    "knot": "Knot answers SRV records in an order of its own",
    "bind": "BIND answers SRV records in the order that rrset-order names: here as written",
}


def _file(zone: Zone) -> str:
    name = format_host(zone.origin)
    return f"zones/{'root' if name == '.' else name.replace('/', '_')}.zone"


def _secondaries(plan: Plan) -> list[tuple[str, int, str]]:
    return [
        (str(each.address), each.port, format_host(each.key) if each.key else "")
        for each in plan.dns.secondaries
    ]


def _nsd(plan: Plan) -> str:
    lines = ["server:", *(f"  ip-address: {each}@{plan.dns.port}" for each in plan.dns.listen)]
    lines += ["  round-robin: no", "remote-control:", "  control-enable: no"]
    lines += [f'include: "/etc/nsd/{key}.key"' for key in _keys(plan)]
    for zone in plan.dns.zones:
        lines += ["zone:", f'  name: "{format_host(zone.origin)}"', f'  zonefile: "{_file(zone)}"']
        for address, port, key in _secondaries(plan):
            lines += [
                f"  notify: {address}@{port} {key or 'NOKEY'}",
                f"  provide-xfr: {address} {key or 'NOKEY'}",
            ]
    return "\n".join(lines) + "\n"


def _knot(plan: Plan) -> str:
    listen = ", ".join(f"{each}@{plan.dns.port}" for each in plan.dns.listen)
    lines = [f'include: "/etc/knot/{key}.key"' for key in _keys(plan)]
    lines += ["server:", f"  listen: [ {listen} ]", "log:", "  - target: syslog", "    any: info"]
    secondaries = _secondaries(plan)
    if secondaries:
        lines += ["remote:"]
        for number, (address, port, key) in enumerate(secondaries):
            lines += [
                f"  - id: secondary{number}",
                f"    address: {address}@{port}",
                *([f"    key: {key}"] if key else []),
            ]
        lines += ["acl:"]
        for number, (address, _, key) in enumerate(secondaries):
            lines += [
                f"  - id: transfer{number}",
                f"    address: {address}",
                *([f"    key: {key}"] if key else []),
            ]
            lines += ["    action: transfer"]
    lines += ["zone:"]
    for zone in plan.dns.zones:
        lines += [f"  - domain: {format_host(zone.origin)}", f'    file: "{_file(zone)}"']
        if secondaries:
            names = range(len(secondaries))
            lines += [f"    notify: [ {', '.join(f'secondary{each}' for each in names)} ]"]
            lines += [f"    acl: [ {', '.join(f'transfer{each}' for each in names)} ]"]
    return "\n".join(lines) + "\n"


def _bind(plan: Plan) -> str:
    four = "".join(f" {each};" for each in plan.dns.listen if each.version == 4)
    six = "".join(f" {each};" for each in plan.dns.listen if each.version == 6)
    lines = [f'include "/etc/bind/{key}.key";' for key in _keys(plan)]
    lines += ["options {", '  directory "/etc/bind";', f"  listen-on port {plan.dns.port} {{{four} }};"]
    lines += [
        f"  listen-on-v6 port {plan.dns.port} {{{six} }};",
        "  recursion no;",
        "  dnssec-validation no;",
    ]
    lines += ["  rrset-order { order none; };", "};"]
    for zone in plan.dns.zones:
        lines += [f'zone "{format_host(zone.origin)}" {{', "  type primary;", f'  file "{_file(zone)}";']
        transfers = "".join(f" {f'key {key}' if key else address};" for address, _, key in _secondaries(plan))
        notified = "".join(
            f" {address} port {port}{f' key {key}' if key else ''};"
            for address, port, key in _secondaries(plan)
        )
        lines += [f"  allow-transfer {{{transfers or ' none;'} }};"]
        lines += [f"  notify explicit;\n  also-notify {{{notified} }};"] if notified else ["  notify no;"]
        lines += ["};"]
    return "\n".join(lines) + "\n"


def _keys(plan: Plan) -> Iterable[str]:
    return dict.fromkeys(key for _, _, key in _secondaries(plan) if key)


SERVERS: Mapping[str, tuple[str, str, Callable[[Plan], str]]] = {
    "nsd": ("nsd/nsd.conf", "#", _nsd),
    "knot": ("knot/knot.conf", "#", _knot),
    "bind": ("bind/named.conf", "//", _bind),
}
"""Of each: its file, how it begins comments, what writes it."""


def export_zones(plan: Plan, server: str) -> Export:
    """Return a name server's configuration with its zones."""
    export = Export()
    path, comment, write = SERVERS[server]
    folder = path.partition("/")[0]
    export.files[path] = f"{comment} {_NOTE} {_ORDER[server]}.\n{write(plan)}"
    for zone in plan.dns.zones:
        export.files[f"{folder}/{_file(zone)}"] = format_zone(zone, comment=_NOTE)
    for what, held, reason in (
        ("forward", plan.dns.forward, "it serves zones and forwards nothing"),
        ("blackhole", plan.dns.blackhole, "names outside its zones are refused, not denied"),
        ("limit", plan.dns.limit, "write the server's own response rate limiting"),
    ):
        if held:
            export.leave(("dns", what), what, reason)
    if any(each.clients for each in plan.dhcp.networks):
        export.leave(("networks",), "names of leases", "the DHCP server would have to update the zones")
    for key in _keys(plan):
        export.leave(
            ("dns", "keys", key),
            f"key {key}",
            "secrets are not written: put the key where it is included from",
        )
    return export
