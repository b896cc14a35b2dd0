"""Packets of a capture file, reduced to what matters here: addresses, ports, payloads. Reads pcap and pcapng.

scapy reads the file and the headers up to UDP and TCP; it is an optional dependency (extra `lab`) and slow to load, so it
is imported when a capture is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netprov.errors import LabError

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `number` counts from 1 as Wireshark's does, `time` is in seconds.

    `kind` is udp, tcp, icmp or arp; `sport` and `dport` are its source and destination port, `flags` those of TCP. For
    arp, `destination` is the address asked for; for icmp, `icmp_code` is that of a "destination unreachable", and addresses
    and ports are of the packet it is about.
    """

    number: int
    time: float
    kind: str
    mac: str
    source: str
    destination: str
    sport: int = 0
    dport: int = 0
    payload: bytes = b""
    flags: int = 0
    seq: int = 0
    ack: int = 0
    cut: bool = False
    """Whether the capture holds less of its data than was sent (a short snap length)."""
    icmp_code: int = 0
    arp_operation: int = 0


def read_packets(path: str) -> Iterator[Packet]:
    """Read a capture file. Raises `LabError` where it cannot be read."""
    try:
        from scapy.layers import inet, l2
        from scapy.utils import PcapReader
    except ImportError as error:
        raise LabError(
            f"captures are read by scapy, which is not installed\n    `{sys.executable} -m pip install scapy`"
        ) from error
    try:
        file = open(path, "rb")  # noqa: SIM115 - scapy leaves its own file open when it refuses the content
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error
    with file:
        try:
            frames = PcapReader(file)
        except Exception as error:  # scapy's own error is not part of its documented interface
            raise LabError(f"{path} is not a capture file: {error}") from error
        for number, frame in enumerate(frames, 1):
            packet = _reduced(number, frame, inet, l2)
            if packet is not None:
                yield packet


def _reduced(number: int, frame: Any, inet: Any, l2: Any) -> Packet | None:
    mac = getattr(frame, "src", "") if l2.Ether in frame else ""
    time = float(frame.time)
    if l2.ARP in frame:
        arp = frame[l2.ARP]
        return Packet(number, time, "arp", arp.hwsrc, arp.psrc, arp.pdst, arp_operation=int(arp.op))
    if inet.IP not in frame:
        return None
    ip = frame[inet.IP]
    if inet.ICMP in ip and ip[inet.ICMP].type == 3 and inet.IPerror in ip:
        return _unreachable(number, time, mac, ip, inet)
    if ip.frag and inet.UDP not in ip:
        return None
    if inet.TCP in ip:
        tcp = ip[inet.TCP]
        payload = _trimmed(ip, tcp)
        return Packet(
            number,
            time,
            "tcp",
            mac,
            ip.src,
            ip.dst,
            tcp.sport,
            tcp.dport,
            payload,
            int(tcp.flags),
            int(tcp.seq),
            ack=int(tcp.ack),
            cut=bool(ip.len) and len(payload) < ip.len - ip.ihl * 4 - tcp.dataofs * 4,
        )
    if inet.UDP in ip:
        udp = ip[inet.UDP]
        data = bytes(udp.payload)
        cut = not ip.frag and not int(ip.flags) & 1 and len(data) < (udp.len or 0) - 8
        return Packet(number, time, "udp", mac, ip.src, ip.dst, udp.sport, udp.dport, data, cut=cut)
    return None


def _trimmed(ip: Any, tcp: Any) -> bytes:
    """Return a segment's data without the padding of a short Ethernet frame."""
    length = ip.len - ip.ihl * 4 - tcp.dataofs * 4 if ip.len else None
    data = bytes(tcp.payload)
    return data if length is None else data[: max(0, length)]


def _unreachable(number: int, time: float, mac: str, ip: Any, inet: Any) -> Packet | None:
    inner = ip[inet.IPerror]
    for layer in (inet.UDPerror, inet.TCPerror):
        if layer in inner:
            head = inner[layer]
            code = ip[inet.ICMP].code
            return Packet(
                number, time, "icmp", mac, inner.src, inner.dst, head.sport, head.dport, icmp_code=int(code)
            )
    return None
