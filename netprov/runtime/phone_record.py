"""What the running servers noted of one phone, put into the steps that `explain` reads.

The device record keeps sentences; those of requests say what was asked and answered. Of HTTPS the servers know what a
capture cannot show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from netprov.errors import Malformed
from netprov.phone.action import AskDhcp, Failed, Fetch, Lease, Response, Step, Trouble
from netprov.phone.url import Url, parse_url
from netprov.phone.verdict import SEALED
from netprov.runtime.records import HistoryLine

_ASKED = re.compile(
    r"(?P<who>\S+)(?: \([0-9a-f:]+\))? (?P<method>[A-Z]+) (?P<scheme>tftp|https?) (?P<path>/\S*): "
    r"(?P<status>\d{3}) (?P<what>.*)\Z"
)
_SENT = re.compile(r"(profile|bootstrap|ca), \d+ octets")

SERVER = "this server"


def steps_of(mac: str, history: Iterable[HistoryLine]) -> list[Step]:
    """Return a phone's last boot as its servers saw it; without any line, nobody has heard of it."""
    lines = list(history)
    if not lines:
        return []
    address = next((line.address for line in reversed(lines) if line.address), "")
    steps = [Step(AskDhcp("", (), mac), Lease(address, SERVER), lines[0].time, evidence="the device record")]
    for line in lines:
        step = _step(line)
        if step is not None:
            steps.append(step)
    return steps


def _step(line: HistoryLine) -> Step | None:
    evidence = f"record of {line.time:.3f}: {line.text}"
    if "TLS failed" in line.text or line.text.startswith("TLS"):
        fetch = Fetch(Url("https", SERVER, 443, "/"), SERVER, verify=SERVER)
        return Step(fetch, _tls(line.text), line.time, evidence=evidence)
    matched = _ASKED.match(line.text)
    if not matched:
        return None
    try:
        url = parse_url(f"{matched['scheme']}://server{matched['path']}")
    except Malformed:
        return None
    result: Response | Failed
    status = int(matched["status"])
    if url.scheme == "tftp" and status != 200:
        result = Failed(Trouble.NOT_FOUND if status == 404 else Trouble.TRANSFER, matched["what"])
    else:
        sent = _SENT.match(matched["what"])
        result = Response(SEALED if status == 200 and sent else status)
    return Step(Fetch(url, SERVER, method=matched["method"]), result, line.time, evidence=evidence)


def _tls(text: str) -> Failed:
    """Return the trouble that a phone's alert tells the server."""
    lower = text.lower()
    if "unknown ca" in lower or "unknown_ca" in lower:
        return Failed(Trouble.UNTRUSTED, text)
    if "expired" in lower:
        return Failed(Trouble.EXPIRED, text)
    if "bad certificate" in lower or "bad_certificate" in lower:
        return Failed(Trouble.WRONG_NAME, text)
    return Failed(Trouble.TLS, text)
