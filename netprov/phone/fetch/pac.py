"""A proxy auto-configuration file (PAC): a program in JavaScript that names the proxies for a URL.

The functions are those of Netscape's "Navigator Proxy Auto-Config File Format", which every browser has. The program is
somebody else's: it has no file, socket or clock of ours, so much memory and so much time. A name that it looks up ends its
run; whoever runs it looks the name up and runs it again.

Absent: weekdayRange, dateRange and timeRange, since the emulated phone has no calendar; a program that calls one is told so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netprov.errors import Malformed
from netprov.hostport import PORTS, parse_hostport
from netprov.phone.action import Proxy
from netprov.phone.rule.url import Url, is_host

MEMORY, STACK, CPU_S = 16 << 20, 256 << 10, 0.5
"""What one run may take: octets, octets of stack, seconds of this process."""

LARGEST = 1 << 20
"""Octets of a file."""

MOST_WAYS = 8
"""Proxies of one answer that a phone tries."""

_LIBRARY = r"""
function isPlainHostName(host) { return String(host).indexOf(".") < 0; }
function dnsDomainIs(host, domain) { return String(host).toLowerCase().endsWith(String(domain).toLowerCase()); }
function localHostOrDomainIs(host, name) {
  host = String(host).toLowerCase(); name = String(name).toLowerCase();
  return host === name || (isPlainHostName(host) && name.split(".")[0] === host);
}
function dnsDomainLevels(host) { return String(host).split(".").length - 1; }
function dnsResolve(host) {
  host = String(host).toLowerCase();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return host;
  if (!Object.prototype.hasOwnProperty.call(__known, host)) { __wanted = host; throw new Error("a name to look up"); }
  return __known[host] === "" ? null : __known[host];
}
function isResolvable(host) { return dnsResolve(host) !== null; }
function myIpAddress() { return __own; }
function convert_addr(address) {
  var octets = String(address).split(".");
  return octets.reduce(function (sum, each) { return (sum * 256 + (each & 255)) >>> 0; }, 0);
}
function isInNet(host, network, mask) {
  var address = dnsResolve(host);
  if (address === null) return false;
  return (convert_addr(address) & convert_addr(mask)) === (convert_addr(network) & convert_addr(mask));
}
function shExpMatch(text, pattern) {
  pattern = String(pattern).replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".");
  return new RegExp("^" + pattern + "$").test(String(text));
}
function alert() {}
function weekdayRange() { __calendar = true; throw new Error("no calendar"); }
var dateRange = weekdayRange, timeRange = weekdayRange;
var __wanted = "", __calendar = false;
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name whose address the program wants to know before it can say more."""

    name: str


def find_proxies(
    script: str, url: Url, *, own: str, known: Mapping[str, str]
) -> tuple[Proxy | None, ...] | Wanted:
    """Return what a program says of a URL, in its order (None is: straight to the server), or which name it wants looked up.

    `own` is the phone's address, `known` the addresses of names, "" for none. Raises `Malformed` with a reason for people.
    """
    engine = _engine()
    facts = f"var __known = {json.dumps(dict(known))}, __own = {json.dumps(own)};"
    try:
        engine.eval(_LIBRARY + facts)
        engine.eval(script)
        # As JSON, for the engine ends a text at its first NUL.
        call = f"FindProxyForURL({json.dumps(_shown(url))}, {json.dumps(url.host.lower())})"
        answer = str(json.loads(engine.eval(f"JSON.stringify(String({call}))")))
    except Exception as error:  # noqa: BLE001 - whatever a program of others does to the engine
        return _stopped(engine, error)
    return _ways(answer)


def _engine() -> Any:
    """Return an engine that runs a program within its limits. Raises `Malformed` where there is none."""
    try:
        import quickjs
    except ImportError:
        raise Malformed(
            "Proxy_Mode Auto: a PAC file is JavaScript, and no engine is installed: pip install 'netprov[pac]'"
        ) from None
    engine = quickjs.Context()
    engine.set_memory_limit(MEMORY)
    engine.set_max_stack_size(STACK)
    engine.set_time_limit(CPU_S)
    return engine


def _stopped(engine: Any, error: Exception) -> Wanted:
    """Return the name that a program waits for. Raises `Malformed` if it stopped for another reason."""
    reason = (str(error).splitlines() or [""])[0][:200]
    if reason in {"", "null"}:  # what the engine says where no octet is left to say it with
        reason = f"it takes more than {MEMORY >> 20} MiB"
    try:
        wanted, calendar = engine.eval("__wanted"), engine.eval("__calendar")
    except Exception:  # noqa: BLE001 - the program has broken its own world
        raise Malformed(f"the PAC file fails: {reason}") from None
    if calendar is True:
        raise Malformed("the PAC file asks for the date, and the emulated phone has no calendar")
    if not wanted:
        raise Malformed(f"the PAC file fails: {reason}")
    if not isinstance(wanted, str) or not is_host(wanted):
        raise Malformed("the PAC file looks up what is no name")
    return Wanted(wanted)


def _shown(url: Url) -> str:
    """Return a URL as programs are told it: of HTTPS no path, as browsers do, since it is nobody's business."""
    return str(url.at("/") if url.scheme == "https" else url)


def _ways(answer: str) -> tuple[Proxy | None, ...]:
    found: list[Proxy | None] = []
    for each in answer.split(";")[:MOST_WAYS]:
        kind, _, server = each.strip().partition(" ")
        if kind.upper() == "DIRECT":
            found.append(None)
        elif kind.upper() in {"PROXY", "HTTP"}:
            host, port = parse_hostport(server.strip(), PORTS["http"])
            if not is_host(host):
                raise Malformed(f"the PAC file names a proxy that is none: {server.strip()[:100]!r}")
            found.append(Proxy(host, port))
    if not found:
        raise Malformed(f"the PAC file names no proxy that the phone can use: {answer[:100]!r}")
    return tuple(found)
