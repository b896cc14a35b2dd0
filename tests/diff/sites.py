"""Random inventories, and what clients of them see on the wire: scapy makes and reads DHCP, dnspython DNS, ElementTree profiles."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import fromstring

import dns.flags
import dns.message
import dns.rdatatype
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from netprov.dhcp.server import Server as DhcpServer
from netprov.dns.message.name import format_host
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.inventory.load import parse
from netprov.machine import Endpoint
from netprov.plan import Plan, derive
from netprov.provision.answer import Content
from netprov.provision.catalog import Catalog
from netprov.provision.requester import Requester

OPTIONS = {
    12: "desk", 66: "10.20.0.1", 67: "boot", 150: "[10.20.0.1, 10.20.0.2]", 159: "http://10.20.0.1/", 160: "http://10.20.0.2/p.xml"
}  # fmt: skip
MACS = ("00:12:34:00:00:01", "00:12:34:00:00:02", "00:12:34:00:00:03")
STRANGERS = ("", "CP-8851-3PCC", "MSFT 5.0")
NETWORKS = ("a", "b")


def _options(draw: st.DrawFn) -> str:
    codes = draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=2))
    return "{" + ", ".join(f"{code}: {OPTIONS[code]}" for code in sorted(codes)) + "}"


@st.composite
def sites(draw: st.DrawFn) -> str:
    """Return an inventory: one or two networks, up to two classes, up to three phones, names, services, parameters."""
    pick = draw
    lines = [f"domain: {pick(st.sampled_from(['example.com', 'voice.test']))}", "networks:"]
    for number, name in enumerate(NETWORKS[: pick(st.integers(1, 2))]):
        lease = pick(st.sampled_from(["1h", "8h"]))
        who = pick(st.sampled_from(["all", "phones", "known"]))
        pool = pick(
            st.sampled_from([f"10.2{number}.0.50-10.2{number}.0.90", f"10.2{number}.0.60-10.2{number}.0.90"])
        )
        lines.append(
            f"  {name}: {{interface: lan{number}, subnet: 10.2{number}.0.0/24, pool: {pool}, lease: {lease}, clients: {who},"
            f" conflict_check: false, options: {_options(draw)}}}"
        )
    lines.append("hosts:")
    lines += [f"  pr{n}: 10.20.0.1{n}" for n in range(1, 1 + pick(st.integers(1, 3)))]
    order = pick(st.sampled_from(["cisco", "strict"]))
    weights = pick(st.permutations([10, 20]))
    lines += [
        f"srv: {{order: {order}, https: [{{priority: 1, weight: {weights[0]}, port: 443, target: pr1}}, {{priority: 1, weight: {weights[1]}, port: 443, target: netprov}}]}}"
    ]
    lines.append("classes:")
    for name, match in (("one", "vendor_class: CP-*"), ("two", "mac: '00:12:34'")):
        method = pick(st.sampled_from(["srv", "dhcp", "acs"]))
        lines.append(
            f"  {name}: {{match: {{{match}}}, method: {method}, options: {_options(draw)}, values: {_values(draw)}}}"
        )
    lines += ["provisioning:", f"  values: {_values(draw)}", "phones:"]
    lines.append("  - {mac: '00:12:34:00:00:00'}")
    for number, mac in enumerate(MACS):
        if pick(st.booleans()):
            fixed = f", address: 10.20.0.20{number}" if pick(st.booleans()) else ""
            named = f", class: {pick(st.sampled_from(['one', 'two']))}" if pick(st.booleans()) else ""
            lines.append(
                f"  - {{mac: '{mac}', model: CP-8851-3PCC, network: a{fixed}{named}, name: desk{number}, options: {_options(draw)}, values: {_values(draw)}}}"
            )
    return "\n".join(lines) + "\n"


def _values(draw: st.DrawFn) -> str:
    names = draw(st.sets(st.sampled_from(["Proxy_1_", "User_ID_1_", "Display_Name_1_"]), max_size=2))
    return (
        "{"
        + ", ".join(
            f"{name}: {draw(st.sampled_from(['x', '{{ phone.mac }}', '7']))!r}" for name in sorted(names)
        )
        + "}"
    )


def plan_of(text: str) -> Plan:
    """Return the plan of an inventory's text."""
    return derive(parse(text, "site.yaml").inventory)


def dhcp_seen(plan: Plan, mac: str, vendor_class: str, network: str) -> Mapping[object, object] | None:
    """Return the options of an OFFER, by scapy, None for no OFFER; `address` only where the plan fixes one."""
    config = plan.dhcp.network(network)
    if config is None:
        return None
    server = DhcpServer(plan.dhcp)
    chaddr = bytes.fromhex(mac.replace(":", ""))
    options: list[object] = [("message-type", "discover")]
    if vendor_class:
        options.append(("vendor_class_id", vendor_class.encode()))
    packet = BOOTP(op=1, xid=7, chaddr=chaddr + bytes(10)) / DHCP(options=[*options, "end"])
    server.receive(bytes(packet), Endpoint("0.0.0.0", 68, config.interface), 1000.0)
    sent = server.datagrams_to_send()
    if not sent:
        return None
    reply = BOOTP(sent[0].data)
    seen: dict[object, object] = {}
    raw = bytes(reply[DHCP])
    position = 0
    while position < len(raw) and raw[position] != 255:
        size = raw[position + 1]
        seen[raw[position]] = raw[position + 2 : position + 2 + size]
        position += 2 + size
    fixed = plan.dhcp.phones.get(chaddr)
    seen["address"] = reply.yiaddr if fixed is not None and fixed.address else ("pool", config.pool)
    seen["siaddr"] = reply.siaddr
    return {key: value for key, value in seen.items() if key not in {53, 61, 82}}


def dns_seen(plan: Plan, name: str, kind: str) -> object:
    """Return what is answered for a name and type, by dnspython: SRV records in their order; None for nothing."""
    query = dns.message.make_query(name, kind, use_edns=0, payload=4096)
    wire = Responder(plan.dns.zones).respond(query.to_wire(), Client(tcp=True))
    assert wire is not None
    reply = dns.message.from_wire(wire)
    if not reply.flags & dns.flags.AA:
        return None
    found = [rrset for rrset in reply.answer if rrset.rdtype == dns.rdatatype.from_text(kind)]
    if not found:
        return None
    texts = [each.to_text() for each in found[0]]
    return (found[0].ttl, texts if kind == "SRV" else sorted(texts))


def names_of(plan: Plan) -> set[str]:
    """Return every name of the plan's zones."""
    return {format_host(name) + "." for zone in plan.dns.zones for name in zone.nodes}


def profile_seen(plan: Plan, mac: str) -> Mapping[str, object] | None:
    """Return the parameters of a listed phone's own profile, by ElementTree; None for a phone that is not listed."""
    if mac not in plan.provision.devices:
        return None
    answer = Catalog(plan.provision, entropy=bytes).respond(
        f"/Cisco/{mac.replace(':', '')}.cfg",
        Requester("https", "10.20.0.77", plan.provision.server_name, 443),
    )
    assert isinstance(answer, Content), answer
    return {
        each.tag: (each.text or "", dict(each.attrib)) for each in fromstring(answer.body) if len(each) == 0
    }
