"""What phones can see of a site: every road's answers, by real clients."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netprov.lab.lan import Host, Lan
from tests.lab.clients import udhcpc
from tests.lab.conftest import needs

MACS = ["00:12:34:ab:45:01", "00:12:34:ab:45:02", "00:12:34:ab:45:03"]
"""Clients: two that may be listed, one that never is."""
ADDRESSES = ("10.20.0.1", "10.20.0.11", "10.20.0.12")
KINDS = ("CP-8851-3PCC", "dslforum.org")
"""Vendor classes: of a phone that is told by options, of one that is told by an ACS."""
OPTIONS = (6, 12, 15, 42, 43, 66, 125, 150, 160)
PATHS = ("/ca.pem", "/CP-8851-3PCC.xml", *(f"/{mac.replace(':', '')}.xml" for mac in MACS), "/files/a.txt")
PHONE_CERTIFICATE = "pki/phones/001234ab4501.ecdsa-p256.pem"
INFORM = Path(__file__).parents[1] / "lab" / "cwmp" / "inform.xml"
_NAMES = ("pr1", "pr2", "pr3", "moved", "desk", "client1", "nobody")
_DATED = re.compile(r"id: \d+|;; (Query time|WHEN|MSG SIZE).*|; COOKIE.*")
_SKIPPED = ("PATH", "PWD", "SHLVL", "_", "interface")


def seen(lan: Lan, state: Path, password: str, folder: Path) -> dict[str, object]:
    """Return what phones can see: names, files over every road, what TLS presents, the ACS, leases, open sockets."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with ThreadPoolExecutor() as pool:
        clients = range(1, len(MACS) + 1)
        offers = [pool.submit(leases, lan[f"client{n}"], folder / f"dhcp{n}") for n in clients]
        here = {each.partition("/")[0] for each in lan["server"].addresses("lan0")}
        web = pool.submit(_transfers, lan["client0"], folder, _wanted(state, password, here))
        names = pool.submit(_names, lan["client0"])
        found: dict[str, object] = {**names.result(), **web.result()}
        for mac, offer in zip(MACS, offers, strict=True):
            found |= {f"dhcp {mac} {kind}": told for kind, told in offer.result().items()}
    sockets = lan["server"].run([needs("ss"), "-Hlntu"], timeout=20).stdout
    found["sockets"] = sorted({" ".join(line.split()[::4]) for line in sockets.splitlines()})
    return found


def leases(host: Host, folder: Path) -> dict[str, dict[str, str]]:
    """Return what a client is told, as each kind of phone."""
    told = {}
    shutil.rmtree(folder, ignore_errors=True)
    for kind in KINDS:
        own = folder / kind
        own.mkdir(parents=True)
        try:
            given = udhcpc(host, own, vendor_class=kind, request=OPTIONS)
        except AssertionError:
            given = {}
        told[kind] = {name: value for name, value in sorted(given.items()) if name not in _SKIPPED}
    return told


def _questions() -> Iterator[str]:
    yield from (f"{name}.example.com A" for name in _NAMES)
    yield from ("example.com A", "example.com SOA", "example.com NS", "note.example.com TXT")
    yield from (f"-x {address}" for address in (*ADDRESSES, "10.20.0.50", "10.20.0.99"))
    for domain in ("example.com", "lab.example.com"):
        yield from (f"_ciscoprov-https._tls.{domain} SRV", f"_ciscoprov-http._tcp.{domain} SRV")


def _names(host: Host) -> dict[str, object]:
    command = [
        needs("dig"),
        "@10.20.0.1",
        "+tries=3",
        "+time=2",
        "+noall",
        "+answer",
        "+authority",
        "+comments",
    ]
    found: dict[str, object] = {}
    words = [word for question in _questions() for word in question.split()]
    answers = host.run([*command, *words], timeout=200).stdout.split(";; Got answer:")[1:]
    if len(answers) < len(list(_questions())):
        return {"dns": "not everything was answered"}
    for question, answer in zip(_questions(), answers, strict=True):
        lines = (_DATED.sub("", line) for line in answer.splitlines() if not line.startswith(";; WARNING"))
        found[f"dns {question}"] = sorted(line for line in lines if line.strip())
    return found


def _wanted(state: Path, password: str, here: set[str]) -> dict[str, list[str]]:
    """Return what is fetched where, by what it is called: the words of a curl configuration."""
    wanted: dict[str, list[str]] = {}
    for address in filter(here.__contains__, ADDRESSES):
        # Nobody says that there is no TFTP server; where there is always one, it has time.
        soon = ["max-time = 2"] if address != ADDRESSES[0] else []
        for path in PATHS:
            wanted[f"http {address}{path}"] = [f"url = http://{address}{path}"]
            wanted[f"tftp {address}{path}"] = [f"url = tftp://{address}{path}", *soon]
        for port in (443, 5060):
            at = [
                f"url = https://example.com:{port}/001234ab4501.xml",
                f"connect-to = ::{address}:{port}",
            ]
            wanted[f"https {address}:{port} presents"] = [*at, "insecure"]
            wanted[f"https {address}:{port}"] = [*at, f"cacert = {state}/pki/ca.pem"]
            if (state / PHONE_CERTIFICATE).exists():
                own = f"cert = {state / PHONE_CERTIFICATE}"
                wanted[f"https {address}:{port} as a phone"] = [*at, "insecure", own]
    for acs in ("7547/", "7547/acs", "80/", "80/acs") if ADDRESSES[1] in here else ():
        informs = [f"url = http://10.20.0.11:{acs}", f"data-binary = @{INFORM}"]
        informs.append('header = "Content-Type: text/xml; charset=utf-8"')
        wanted[f"acs :{acs} right"] = [*informs, f"user = phone:{password}"]
        wanted[f"acs :{acs} wrong"] = [*informs, "user = phone:wrong"]
        wanted[f"acs :{acs} without"] = informs
    return wanted


def _transfers(host: Host, folder: Path, wanted: dict[str, list[str]]) -> dict[str, object]:
    """Fetch everything with one curl, much at a time; return status, chain and content of each."""
    lines = ["parallel", "parallel-max = 80"]
    for number, words in enumerate(wanted.values()):
        lines += ["next"] if number else []
        lines += ["silent", "connect-timeout = 2", "max-time = 8", f"output = {folder}/{number}", *words]
        lines.append(f'write-out = "@@{number} %{{http_code}} %{{exitcode}}\\n%{{certs}}\\n"')
    (folder / "curl").write_text("\n".join(_quoted(line) for line in lines) + "\n")
    written = host.run([needs("curl"), "-K", str(folder / "curl")], timeout=200).stdout
    told = dict(part.split(" ", 1) for part in written.split("@@")[1:])
    found: dict[str, object] = {}
    for number, name in enumerate(wanted):
        body = folder / str(number)
        found[name] = (told.get(str(number), "").strip(), body.read_text() if body.exists() else None)
    return found


def _quoted(line: str) -> str:
    """Quote what follows the equals sign in a line of a curl configuration, unless it is."""
    option, equals, value = line.partition(" = ")
    return f'{option} = "{value}"' if equals and not value.startswith('"') else line
