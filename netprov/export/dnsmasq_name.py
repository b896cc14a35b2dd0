"""Names in a dnsmasq.conf from a plan's zones: records that dnsmasq answers by itself."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.dns.iana.rrtype import format_type
from netprov.dns.message.name import format_host
from netprov.dns.message.rdata import format_rdata
from netprov.export.written import Export
from netprov.plan import Plan


def name_lines(plan: Plan, export: Export) -> Iterator[str]:
    """Yield the lines for every zone; what dnsmasq has no line for is listed."""
    for zone in plan.dns.zones:
        origin = format_host(zone.origin)
        yield f"local=/{origin}/"
        for owner, rrset in zone.rrsets():
            name = format_host(owner)
            kind = format_type(rrset.type)
            if kind in {"SOA", "NS"}:
                continue
            for data in rrset.rdatas:
                line = None if name.startswith("*.") else _line(name, kind, format_rdata(rrset.type, data))
                if line is None:
                    export.leave(("records",), f"{name} {kind}", "dnsmasq has no such records")
                else:
                    yield line
    export.leave(("domain",), "SOA and NS", "dnsmasq answers neither: it serves no zones, only names")


def _line(name: str, kind: str, text: str) -> str | None:
    """Return the line of one record, None if there is none for its type."""
    parts = text.split()
    match kind:
        case "A" | "AAAA":
            return f"host-record={name},{text}"
        case "SRV":
            priority, weight, port, target = parts
            return f"srv-host={name},{target.rstrip('.')},{port},{priority},{weight}"
        case "CNAME":
            return f"cname={name},{text.rstrip('.')}"
        case "PTR":
            return f"ptr-record={name},{text.rstrip('.')}"
        case "MX":
            return f"mx-host={name},{parts[1].rstrip('.')},{parts[0]}"
        case "TXT":
            return f"txt-record={name},{','.join(_strings(text))}"
    return None


def _strings(text: str) -> Iterator[str]:
    """Yield the strings of a TXT record, in their quotation marks."""
    current, inside, escaped = "", False, False
    for sign in text:
        if inside or sign == '"':
            current += sign
        if sign == '"' and not escaped:
            if inside:
                yield current
                current = ""
            inside = not inside
        escaped = sign == "\\" and not escaped
