"""LANs with one thing wrong, and LANs with nothing wrong: real servers, and the cause that was planted in each.

Each scene is booted by an emulated phone while tcpdump listens at the phone; `python -m tests.lab.record FOLDER` writes the
captures that tests/explain/captures holds.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from netprov.lab.lan import Host, Lan
from netprov.lab.process import wait_until
from netprov.phone.handset.identity import Identity
from netprov.pki.bundle import Bundle
from tests.lab import foreign
from tests.lab.conftest import PYTHON
from tests.lab.foreign import FIRST, HTTP, HTTPS, NAMES, PROFILE, SECOND, authority, certificate, phone

SRV = f"--srv-host={HTTPS},pr1.example.com,5060,10,20"
SRV_HTTP = f"--srv-host={HTTP},pr1.example.com,5060,10,20"
OFFER = bytes.fromhex("63825363350102")
"""The magic cookie, then option 53 of a DHCPOFFER."""

TLS = "listen 10.20.0.11:5060 ssl; chain.pem root ROOT;"
PLAIN = "listen 10.20.0.11:5060; root ROOT;"


@dataclass
class Scene:
    """A LAN about to go wrong; builders start servers on it."""

    lan: Lan
    tmp: Path
    issuer: Bundle = field(default_factory=authority)
    chain: Bundle | None = None

    @property
    def server(self) -> Host:
        return self.lan["server"]

    def dnsmasq(
        self, *arguments: str, domain: str = "example.com", pool: str = "10.20.0.100,10.20.0.150,1h"
    ) -> None:
        foreign.dnsmasq(self.server, self.tmp, *arguments, domain=domain, pool=pool)

    def www(self, *blocks: str, **content: bytes) -> None:
        names = {
            "first": FIRST,
            "second": SECOND,
            "by_srv": "Cisco/001234ab45de.cfg",
            "ca": "ca.pem",
            "next": "next.xml",
        }
        root = foreign.files(self.tmp / "www", {names[name]: data for name, data in content.items()})
        foreign.nginx(self.server, self.tmp, root, blocks, {"chain": self.chain} if self.chain else None)

    def tftp(self, *arguments: str, **content: bytes) -> None:
        """Serve these files by dnsmasq's TFTP, named by option 66."""
        names = {"first": FIRST, "second": SECOND, "ca": "ca.pem"}
        root = foreign.files(self.tmp / "tftp", {names[name]: data for name, data in content.items()})
        self.dnsmasq("--dhcp-option=66,10.20.0.1", "--enable-tftp", f"--tftp-root={root}", *arguments)

    def script(self, text: str) -> None:
        """Run a few lines of Python as a server that misbehaves; it prints "ready"."""
        self.server.spawn([PYTHON, "-u", "-c", text]).wait_for("ready")


Build = Callable[[Scene], None]


@dataclass(frozen=True)
class Planted:
    """One scene; `cause` is "" where nothing is wrong. `trusting`: the phone was staged with the scene's CA.

    `offers` is how many DHCPOFFERs the capture must hold at least.
    """

    name: str
    cause: str
    build: Build
    trusting: bool = True
    tr069: bool = False
    offers: int = 0

    def identity(self, scene: Scene) -> Identity:
        return phone(roots=[scene.issuer] if self.trusting else [], tr069=self.tr069)


def srv_https(
    block: str = TLS,
    *,
    names: tuple[str, ...] = ("example.com", "pr1.example.com"),
    start: float = -86400,
    end: float = 864000,
) -> Build:
    """SRV by dnsmasq, nginx with this block and a certificate with these names and times."""

    def build(scene: Scene) -> None:
        scene.dnsmasq(*NAMES, SRV)
        scene.chain = certificate(scene.issuer, names, start=start, end=end)
        scene.www(block, first=PROFILE)

    return build


def srv_http(block: str = PLAIN, **content: bytes) -> Build:
    def build(scene: Scene) -> None:
        scene.dnsmasq(*NAMES, SRV_HTTP)
        scene.www(block, **content)

    return build


def site(*arguments: str, blocks: tuple[str, ...] = (TLS,), **content: bytes) -> Build:
    """Names and these arguments by dnsmasq, nginx with these blocks and a certificate that is right."""

    def build(scene: Scene) -> None:
        scene.dnsmasq(*NAMES, *arguments)
        scene.chain = certificate(scene.issuer)
        scene.www(*blocks, **content)

    return build


def only_dnsmasq(*arguments: str, domain: str = "example.com") -> Build:
    return lambda scene: scene.dnsmasq(*arguments, domain=domain)


def tftp(**content: bytes) -> Build:
    return lambda scene: scene.tftp(**content)


def octets(code: int, data: bytes) -> Build:
    """Give an option as Kea sends it when it is written in hexadecimal."""

    def build(scene: Scene) -> None:
        option = {
            "code": code,
            "space": "dhcp4",
            "csv-format": False,
            "data": data.hex(),
            "always-send": True,
        }
        foreign.kea(scene.server, scene.tmp, [option])
        foreign.nsd(scene.server, scene.tmp, "@ A 10.20.0.11\n")

    return build


def zone(text: str) -> Build:
    def build(scene: Scene) -> None:
        foreign.kea(scene.server, scene.tmp, [])
        foreign.nsd(scene.server, scene.tmp, text)

    return build


def self_signed(scene: Scene) -> None:
    scene.dnsmasq(*NAMES, SRV)
    scene.chain = certificate(authority())
    scene.www(TLS, first=PROFILE)


def unreadable_by_tftpd(scene: Scene) -> None:
    root = foreign.files(scene.tmp / "tftp", {FIRST: PROFILE, SECOND: PROFILE})
    for name in (FIRST, SECOND):
        (root / name).chmod(0o600)
    scene.dnsmasq("--dhcp-option=66,tftp://10.20.0.1/" + FIRST)
    foreign.tftpd(scene.server, root)


def by_tftpd(**content: bytes) -> Build:
    def build(scene: Scene) -> None:
        names = {"first": FIRST, "second": SECOND}
        root = foreign.files(scene.tmp / "tftp", {names[name]: data for name, data in content.items()})
        foreign.kea(scene.server, scene.tmp, [{"name": "tftp150", "data": "10.20.0.1"}])
        foreign.tftpd(scene.server, root)

    return build


def by_url(*blocks: str, option: str = "160,http://10.20.0.11/p", **content: bytes) -> Build:
    def build(scene: Scene) -> None:
        scene.dnsmasq(*NAMES, f"--dhcp-option={option}")
        scene.www(*(blocks or ("listen 10.20.0.11:80; root ROOT;",)), **content)

    return build


HUNG = """
import socket
s = socket.socket(); s.bind(("10.20.0.11", 5060)); s.listen(0)
held = [socket.create_connection(("10.20.0.11", 5060)) for _ in range(1)]
print("ready"); import time; time.sleep(600)
"""
MUTE = """
import socket
s = socket.socket(); s.bind(("10.20.0.11", 5060)); s.listen(16)
print("ready"); held = [s.accept() for _ in range(99)]
"""
RUDE = """
import socket
s = socket.socket(); s.bind(("10.20.0.11", 5060)); s.listen(16)
print("ready")
while True:
    c, _ = s.accept(); c.recv(4096); c.close()
"""
DEAF_TFTP = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.20.0.1", 69))
print("ready"); time.sleep(600)
"""
STALLING_TFTP = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.20.0.1", 69))
print("ready")
while True:
    data, peer = s.recvfrom(2000)
    t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind(("10.20.0.1", 0))
    t.sendto(bytes([0, 3, 0, 1]) + b"<flat-profile>".ljust(512), peer)
"""


def with_script(script: str, *arguments: str) -> Build:
    def build(scene: Scene) -> None:
        scene.dnsmasq(*NAMES, *arguments)
        scene.script(script)

    return build


def hung(scene: Scene) -> None:
    scene.dnsmasq(*NAMES, SRV)
    scene.script(HUNG)


def rival(scene: Scene) -> None:
    scene.dnsmasq(*NAMES, SRV, "--dhcp-reply-delay=1")
    scene.chain = certificate(scene.issuer)
    scene.www(TLS, first=PROFILE)
    other = scene.lan["client1"]
    with other.links() as links:
        links.add_address(other.interface, "10.20.0.66/24")
    folder = scene.tmp / "rival"
    folder.mkdir()
    foreign.dnsmasq(other, folder, domain="home.arpa", pool="10.20.0.200,10.20.0.220,1h")


def two_stages(*, ca: bool, rule: str = "[--srv] https://example.com/$MA.xml") -> Build:
    """A first profile by HTTP names a CA and the rule of a second by HTTPS."""

    def build(scene: Scene) -> None:
        first = (
            f"<flat-profile><Custom_CA_Rule>http://10.20.0.11/ca.pem</Custom_CA_Rule>"
            f"<Profile_Rule>{rule}</Profile_Rule></flat-profile>"
        )
        scene.dnsmasq(*NAMES, SRV, "--dhcp-option=160,http://10.20.0.11/$PSN.xml")
        content = {FIRST: first.encode(), "001234ab45de.xml": PROFILE}
        if ca:
            content["ca.pem"] = scene.issuer.leaf.pem().encode()
        root = foreign.files(scene.tmp / "www", content)
        blocks = ("listen 10.20.0.11:80; root ROOT;", TLS)
        foreign.nginx(scene.server, scene.tmp, root, blocks, {"chain": certificate(scene.issuer)})

    return build


def first_then(rule: str) -> Build:
    profile = f"<flat-profile><Profile_Rule>{rule}</Profile_Rule></flat-profile>".encode()
    return by_url(option="160,http://10.20.0.11/$PSN.xml", first=profile)


def acs(block: str) -> Build:
    def build(scene: Scene) -> None:
        scene.dnsmasq(
            *NAMES,
            "--dhcp-vendorclass=set:tr,dslforum.org",
            "--dhcp-option=vendor:dslforum.org,1,http://10.20.0.11:7547/",
        )
        if block:
            scene.www(block)

    return build


FAILURES: tuple[Planted, ...] = (
    Planted("no-server", "dhcp-silent", lambda _scene: None),
    Planted("server-for-known-only", "dhcp-silent", only_dnsmasq("--dhcp-ignore=tag:!known")),
    Planted("rival", "rival-dhcp", rival, offers=2),
    Planted("no-domain", "no-domain", only_dnsmasq(domain="")),
    Planted("no-dns", "no-dns", only_dnsmasq("--dhcp-option=6")),
    Planted("option-66-binary", "option-octets", octets(66, bytes([10, 20, 0, 1]))),
    Planted("option-66-hex-text", "option-value", only_dnsmasq("--dhcp-option=66,0a:14:00:01")),
    Planted("option-160-ftp", "option-value", only_dnsmasq("--dhcp-option=160,ftp://10.20.0.1/x")),
    Planted("option-66-blank", "option-value", only_dnsmasq("--dhcp-option=66,10.20.0.1 /tftpboot")),
    Planted("option-150-text", "option-value", octets(150, b"10.20.0.1")),
    Planted(
        "sname",
        "option-in-header",
        only_dnsmasq("--dhcp-no-override", "--dhcp-boot=x,tftp.example.com,10.20.0.1"),
    ),
    Planted(
        "acs-without-tr069",
        "tr069-off",
        only_dnsmasq(
            "--dhcp-option=43,01:17:68:74:74:70:3a:2f:2f:31:30:2e:32:30:2e:30:2e:31:31:3a:37:35:34:37:2f"
        ),
    ),
    Planted("dns-nobody", "dns-silent", only_dnsmasq("--dhcp-option=6,10.20.0.99", *NAMES, SRV)),
    Planted("dns-closed", "dns-closed", only_dnsmasq("--port=0", "--dhcp-option=6,10.20.0.1")),
    Planted("dns-refused", "dns-refused", only_dnsmasq("--dhcp-option=15,example.com", domain="")),
    Planted("dns-servfail", "dns-failed", zone("pr1 A 10.20.0.11\nbroken line here\n")),
    Planted("srv-missing", "srv-missing", only_dnsmasq(*NAMES)),
    Planted(
        "srv-under-tcp",
        "srv-missing",
        only_dnsmasq(*NAMES, "--srv-host=_ciscoprov-https._tcp.example.com,pr1.example.com,443"),
    ),
    Planted("srv-root", "srv-no-service", zone("@ A 10.20.0.11\n_ciscoprov-https._tls SRV 0 0 0 .\n")),
    Planted(
        "target-without-a",
        "target-no-address",
        zone("@ A 10.20.0.11\n_ciscoprov-https._tls SRV 10 1 443 pr1\n"),
    ),
    Planted("host-without-a", "host-no-address", only_dnsmasq("--dhcp-option=160,http://pr9.example.com/x")),
    Planted("target-closed", "port-closed", only_dnsmasq(*NAMES, SRV)),
    Planted("target-hung", "server-silent", hung),
    Planted("target-mute", "server-silent", with_script(MUTE, SRV_HTTP)),
    Planted("target-rude", "closed-early", with_script(RUDE, SRV_HTTP)),
    Planted("target-rude-tls", "closed-early", with_script(RUDE, SRV)),
    Planted("target-nobody", "unreachable", only_dnsmasq(SRV, "--host-record=pr1.example.com,10.20.0.77")),
    Planted(
        "target-off-link",
        "unreachable",
        only_dnsmasq(SRV, "--host-record=pr1.example.com,192.0.2.7", "--dhcp-option=3"),
    ),
    Planted("ca-unknown", "tls-untrusted", srv_https(), trusting=False),
    Planted("ca-of-another", "tls-untrusted", self_signed),
    Planted("cert-target-only", "tls-wrong-name", srv_https(names=("pr1.example.com",))),
    Planted("cert-wildcard", "tls-wrong-name", srv_https(names=("*.example.com",))),
    Planted("cert-expired", "tls-expired", srv_https(start=-864000, end=-3600)),
    Planted("cert-future", "tls-not-yet", srv_https(start=3600)),
    Planted("tls13-only", "tls-version", srv_https(TLS + " ssl_protocols TLSv1.3;")),
    Planted(
        "no-common-cipher",
        "tls-version",
        srv_https(
            TLS + " ssl_protocols TLSv1.2; ssl_ciphers ARIA128-GCM-SHA256:ECDHE-ECDSA-ARIA128-GCM-SHA256;"
        ),
    ),
    Planted("http-on-https-port", "not-tls", srv_https(PLAIN)),
    Planted(
        "https-on-http-port",
        "not-http",
        site(SRV_HTTP, first=PROFILE),
    ),
    Planted("https-file-missing", "file-missing", site(SRV, next=PROFILE)),
    Planted("http-file-missing", "file-missing", srv_http(next=PROFILE)),
    Planted("http-forbidden", "forbidden", srv_http(PLAIN + " location / { deny all; }", first=PROFILE)),
    Planted(
        "http-unauthorized",
        "unauthorized",
        srv_http(
            PLAIN + ' location / { auth_basic "staff"; auth_basic_user_file /dev/null; }', first=PROFILE
        ),
    ),
    Planted("http-503", "server-error", srv_http(PLAIN + " location / { return 503; }")),
    Planted("http-502", "server-error", srv_http(PLAIN + " location / { proxy_pass http://10.20.0.11:9; }")),
    Planted("http-307", "redirect", srv_http(PLAIN + " location / { return 307 http://10.20.0.11/x; }")),
    Planted(
        "http-to-closed",
        "port-closed",
        srv_http(PLAIN + " location / { return 302 http://10.20.0.12:81/x; }"),
    ),
    Planted("index-page", "index-page", srv_http(first=b"<!DOCTYPE html><html><body>It works</body></html>")),
    Planted("empty-file", "empty-file", srv_http(first=b"")),
    Planted("encrypted", "encrypted", srv_http(first=b"Salted__" + bytes(range(48)))),
    Planted("broken-xml", "corrupt", srv_http(first=b"<flat-profile><A>1</B></flat-profile>")),
    Planted("broken-gzip", "corrupt", srv_http(first=gzip.compress(PROFILE * 9)[:-9])),
    Planted("enterprise-file", "corrupt", srv_http(first=b"<device><sshUserId>x</sshUserId></device>")),
    Planted("tftp-deaf", "tftp-silent", with_script(DEAF_TFTP, "--dhcp-option=66,10.20.0.1")),
    Planted("tftp-closed", "tftp-closed", only_dnsmasq("--dhcp-option=66,10.20.0.1")),
    Planted("tftp-missing", "file-missing", tftp(ca=b"x")),
    Planted("tftpd-missing", "file-missing", by_tftpd()),
    Planted("tftp-unreadable", "tftp-refused", unreadable_by_tftpd),
    Planted("tftp-stalls", "tftp-stalled", with_script(STALLING_TFTP, "--dhcp-option=66,10.20.0.1")),
    Planted("tftp-index", "index-page", tftp(first=b"<html>no</html>")),
    Planted("ca-missing", "ca-missing", two_stages(ca=False), trusting=False),
    Planted("next-closed", "port-closed", first_then("http://10.20.0.12:81/next.xml")),
    Planted("next-missing", "file-missing", first_then("http://10.20.0.11/nothing.xml")),
    Planted("next-tftp-srv", "bad-rule", first_then("[--srv] tftp://example.com/x")),
    Planted("acs-down", "acs-unreachable", acs(""), tr069=True),
    Planted(
        "acs-forbids", "acs-refuses", acs("listen 10.20.0.11:7547; location / { return 403; }"), tr069=True
    ),
    Planted("acs-idle", "acs-idle", acs("listen 10.20.0.11:7547; location / { return 204; }"), tr069=True),
)

HEALTHY: tuple[Planted, ...] = (
    Planted("srv-https", "", srv_https()),
    Planted("srv-http", "", srv_http(first=PROFILE)),
    Planted("srv-http-second-path", "", srv_http(by_srv=PROFILE)),
    Planted(
        "srv-https-factory-then-http",
        "",
        site(
            SRV,
            f"--srv-host={HTTP},pr1.example.com,80",
            blocks=(TLS, "listen 10.20.0.11:80; root ROOT;"),
            first=PROFILE,
        ),
        trusting=False,
    ),
    Planted(
        "srv-second-target",
        "",
        site(
            SRV,
            "--host-record=pr2.example.com,10.20.0.12",
            f"--srv-host={HTTPS},pr2.example.com,5060,5,1",
            first=PROFILE,
        ),
    ),
    Planted("tftp-66", "", tftp(first=PROFILE)),
    Planted("tftp-second-path", "", tftp(second=PROFILE)),
    Planted("tftp-large", "", tftp(first=PROFILE.replace(b"example.com", b"x" * 20_000))),
    Planted("tftpd-150", "", by_tftpd(first=PROFILE)),
    Planted("url-160", "", by_url(option="160,http://10.20.0.11/$PSN.xml", first=PROFILE)),
    Planted("url-159", "", by_url(option="159,http://10.20.0.11/$PSN.xml", first=PROFILE)),
    Planted("url-directory", "", by_url(option="66,http://10.20.0.11", first=PROFILE)),
    Planted("url-by-name", "", by_url(option="66,http://pr1.example.com/$PSN.xml", first=PROFILE)),
    Planted("bare-address-http", "", by_url(option="66,10.20.0.11", first=PROFILE)),
    Planted(
        "list-second", "", by_url(option="66,http://10.20.0.12/x;http://10.20.0.11/$PSN.xml", first=PROFILE)
    ),
    Planted("gzip", "", by_url(option="160,http://10.20.0.11/$PSN.xml", first=gzip.compress(PROFILE))),
    Planted(
        "redirect",
        "",
        srv_http(
            PLAIN + " location = /8851-3PCC.xml { return 302 /Cisco/001234ab45de.cfg; }", by_srv=PROFILE
        ),
    ),
    Planted(
        "chunked",
        "",
        by_url(
            "listen 10.20.0.11:80; root ROOT; location / { sub_filter_types *; sub_filter 'zzz' 'y'; }",
            option="160,http://10.20.0.11/$PSN.xml",
            first=PROFILE,
        ),
    ),
    Planted("two-stages", "", two_stages(ca=True), trusting=False),
    Planted(
        "two-stages-http",
        "",
        by_url(
            option="160,http://10.20.0.11/$PSN.xml",
            first=b"<flat-profile><Profile_Rule>http://10.20.0.11/next.xml</Profile_Rule></flat-profile>",
            next=PROFILE,
        ),
    ),
    Planted(
        "useless-60-and-43",
        "",
        site(
            SRV, "--dhcp-option-force=60,PXEClient", "--dhcp-option-force=43,01:04:00:00:00:00", first=PROFILE
        ),
    ),
)


def scene_of(lan: Lan, tmp: Path, planted: Planted) -> Scene:
    """Build a scene."""
    tmp.mkdir(parents=True, exist_ok=True)
    scene = Scene(lan, tmp)
    planted.build(scene)
    return scene


def capture_boot(scene: Scene, planted: Planted, path: Path) -> None:
    """Boot the phone while tcpdump writes a capture at its interface."""
    from netprov.emulator.phone import boot_phone
    from tests.lab.conftest import needs

    client = scene.lan["client0"]
    command = [
        needs("tcpdump"),
        "-i",
        client.interface,
        "-U",
        "--immediate-mode",
        "-n",
        "-w",
        str(path),
        "ip or arp",
    ]
    tcpdump = client.spawn([*command, "-Z", "root"])
    tcpdump.wait_for("listening on")
    with client.entered():
        boot_phone(planted.identity(scene), client.interface)
    sizes: list[int] = []

    def settled() -> bool:
        sizes.append(path.stat().st_size)
        offers = path.read_bytes().count(OFFER)
        return len(sizes) > 20 and sizes[-20] == sizes[-1] > 24 and offers >= planted.offers

    wait_until(settled, what="the capture to be written")
    tcpdump.stop()
