"""curl, wget and openssl fetch every path of the ladder from `netprov serve`; the guide's Table 2, by curl."""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.conftest import PYTHON, MakeLan, needs, wait_until
from tests.lab.provisioning import (
    DIGEST_MAC,
    LOCKED_MAC,
    MAC,
    OLD_ADDRESS,
    OWN_MAC,
    PASSWORD,
    STATUSES,
    Served,
    serve,
)

pytestmark = pytest.mark.lab

LADDER = ["/8851-3PCC.xml", "/Cisco/CP-8851-3PCC/001234ab45de.cfg", "/Cisco/001234ab45de.cfg"]
VARIANTS = [
    "/cisco/cp-8851-3pcc/001234AB45DE.CFG",
    "/CP-8851-3PCC.xml",
    "/prov/001234AB45DE/CP-8851-3PCC.xml",
]
BASES = ["http://10.20.0.1", "http://10.20.0.11:8080", "https://example.com", "https://pr1.example.com:5060"]
FIRMWARE = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def served(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Served:
    found = serve(make_module_lan, tmp_path_factory.mktemp("http"))
    (found.folder / "sip88xx.loads").write_bytes(FIRMWARE)
    (found.folder / "inside.loads").symlink_to("sip88xx.loads")
    (found.folder / "outside.loads").symlink_to("/etc/passwd")
    (found.folder / "sub").mkdir()
    os.mkfifo(found.folder / "pipe")
    return found


def curl(served: Served, *arguments: str) -> str:
    trust = ["--cacert", served.ca, "--resolve", "example.com:443:10.20.0.1"]
    trust += ["--resolve", "pr1.example.com:5060:10.20.0.11"]
    result = served.client.run([needs("curl"), "-sS", *trust, *arguments])
    assert result.returncode == 0, result.stderr
    return result.stdout


def status(served: Served, *arguments: str) -> str:
    return curl(served, "-o", "/dev/null", "-w", "%{http_code}", *arguments)


@pytest.mark.parametrize("base", BASES)
def test_curl_fetches_every_path_of_the_ladder(served: Served, base: str) -> None:
    for path in (*LADDER, *VARIANTS):
        text = curl(served, f"{base}{path}")
        assert "<Display_Name_1_>4081001141</Display_Name_1_>" in text
        assert ("Custom_CA_Rule" in text) == base.startswith("http:")


@pytest.mark.parametrize("base", BASES)
def test_what_is_not_there_is_404_at_once(served: Served, base: str) -> None:
    for path in ("/", "/index.html", "/firmware/", "/firmware", "/firmware/none", "/nope.xml"):
        assert status(served, f"{base}{path}") == "404"


@pytest.mark.parametrize(
    "target",
    [
        "/../../etc/passwd",
        "/firmware/../../etc/passwd",
        "/firmware/..%2f..%2fetc/passwd",
        "/firmware/%2e%2e/%2e%2e/etc/passwd",
        "/firmware/%252e%252e/%252e%252e/etc/passwd",
        "/firmware/..\\..\\etc\\passwd",
        "/firmware/..%5c..%5cetc%5cpasswd",
        "/firmware/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
        "/firmware//etc/passwd",
        "/firmware/%2fetc/passwd",
        "/firmware/sip88xx.loads%00.xml",
        "/firmware/outside.loads",
        "/firmware/pipe",
        "/firmware/sub",
    ],
)
def test_no_path_leaves_the_tree(served: Served, target: str) -> None:
    assert status(served, "--path-as-is", f"http://10.20.0.1{target}") == "404"


def test_wget_fetches_the_ladder_and_stops_at_404(served: Served) -> None:
    for path in LADDER:
        result = served.client.run([needs("wget"), "-q", "-O", "-", f"http://10.20.0.1{path}"])
        assert "4081001141" in result.stdout
    assert served.client.run([needs("wget"), "-q", "-O", "-", "http://10.20.0.1/"]).returncode == 8


def test_busybox_wget_fetches_the_ladder(served: Served) -> None:
    result = served.client.run([needs("busybox"), "wget", "-q", "-O", "-", f"http://10.20.0.1{LADDER[1]}"])
    assert "4081001141" in result.stdout


@pytest.mark.parametrize("kind", ["RSA", "ECDSA"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_verifies_the_domain_and_fetches(served: Served, kind: str, version: str) -> None:
    signatures = "rsa_pss_rsae_sha256:RSA+SHA256" if kind == "RSA" else "ECDSA+SHA256"
    result = served.client.run(
        [
            *(needs("openssl"), "s_client", "-connect", "10.20.0.11:5060", "-verify_hostname", "example.com"),
            *("-verify_return_error", "-CAfile", served.ca, "-sigalgs", signatures, version, "-ign_eof"),
        ],
        stdin=f"GET {LADDER[0]} HTTP/1.0\r\n\r\n",
    )
    assert "Verify return code: 0 (ok)" in result.stdout
    assert "4081001141" in result.stdout


@pytest.mark.parametrize(("address", "shaken"), [(OLD_ADDRESS, True), ("10.20.0.50", False)])
def test_only_a_class_that_says_so_comes_with_tls_1_0(served: Served, address: str, shaken: bool) -> None:
    result = served.client.run(
        [
            *(
                needs("openssl"),
                "s_client",
                "-connect",
                "10.20.0.1:443",
                "-bind",
                address,
                "-CAfile",
                served.ca,
            ),
            *("-tls1", "-cipher", "DEFAULT:@SECLEVEL=0", "-ign_eof"),
        ],
        stdin="GET /7832-3PCC.xml HTTP/1.0\r\n\r\n",
    )
    assert ("4081001145" in result.stdout) == shaken
    assert ("alert protocol version" in result.stderr) != shaken


def test_client_that_does_not_trust_the_ca_leaves_its_alert_on_record(served: Served) -> None:
    def told() -> bool:
        """Say whether it is told; of many lines in a second the log tells the number alone, so it is asked again."""
        result = served.client.run([needs("curl"), "-sS", "https://10.20.0.1/"])
        assert result.returncode == 60
        return re.search("TLS handshake failed: .*unknown ca", served.process.output) is not None

    wait_until(told, what="the alert", timeout=30)


def raw(served: Served, *pieces: bytes, port: int = 80) -> bytes:
    with served.client.entered():
        sock = socket.create_connection(("10.20.0.1", port), timeout=10)
    with sock:
        for piece in pieces:
            sock.sendall(piece)
        answer = b""
        with suppress(
            ConnectionResetError
        ):  # it hung up on what it had not read; the answer came before that
            while data := sock.recv(65536):
                answer += data
        return answer


def test_http_1_0_by_hand(served: Served) -> None:
    answer = raw(served, b"GET /8851-3PCC.xml HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert answer.endswith(b"</flat-profile>\n")


def test_http_1_0_by_hand_octet_by_octet(served: Served) -> None:
    request = b"GET /8851-3PCC.xml HTTP/1.0\r\n\r\n"
    answer = raw(served, *(request[i : i + 1] for i in range(len(request))))
    assert answer.endswith(b"</flat-profile>\n")


def test_requests_in_one_packet_are_answered_in_order(served: Served) -> None:
    get = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = raw(served, get % b"/nope" * 200 + get % b"/ca.pem" + b"GET / HTTP/1.0\r\n\r\n")
    assert answer.count(b" 404 Not Found\r\n") == 201
    assert answer.count(b"BEGIN CERTIFICATE") == 1


def test_head_has_the_length_and_no_body(served: Served) -> None:
    answer = raw(served, b"HEAD /firmware/sip88xx.loads HTTP/1.0\r\n\r\n")
    assert b"Content-Length: 3000000" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_garbage_is_answered_once_and_cut_off(served: Served) -> None:
    assert raw(served, b"\x16\x03\x01\x00\x05hello\r\n\r\n").startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
    assert raw(served, b"A" * 100_000).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4"))


@pytest.mark.parametrize("base", ["http://10.20.0.1", "https://example.com"])
def test_firmware_is_identical_whole_in_parts_and_resumed(served: Served, tmp_path: Path, base: str) -> None:
    url, out = f"{base}/firmware/inside.loads", tmp_path / "out"
    curl(served, "-o", str(out), url)
    assert out.read_bytes() == FIRMWARE
    out.write_bytes(FIRMWARE[:1_234_567])
    curl(served, "-C", "-", "-o", str(out), url)
    assert out.read_bytes() == FIRMWARE
    assert status(served, "-r", "0-99", url) == "206"
    assert status(served, "-r", "9000000-", url) == "416"
    etag = curl(served, "-I", "-w", "%header{etag}", "-o", "/dev/null", url)
    assert status(served, "-H", f"If-None-Match: {etag}", url) == "304"


@pytest.mark.parametrize("wanted", STATUSES)
def test_table_2_any_status_on_request(served: Served, wanted: int) -> None:
    assert status(served, f"http://10.20.0.1/{wanted}/8851-3PCC.xml") == str(wanted)


def test_table_2_redirects_lead_to_the_profile(served: Served) -> None:
    assert status(served, "http://10.20.0.1/moved.xml") == "301"
    assert status(served, "http://10.20.0.1/found.xml") == "302"
    for path in ("moved", "found"):
        assert "4081001141" in curl(served, "-L", f"http://10.20.0.1/{path}.xml")


@pytest.mark.parametrize(("scheme", "mac"), [("--basic", LOCKED_MAC), ("--digest", DIGEST_MAC)])
def test_table_2_credentials(served: Served, scheme: str, mac: str) -> None:
    user = mac.replace(":", "")
    url = f"http://10.20.0.1/Cisco/{user}.cfg"
    assert status(served, url) == "401"
    assert status(served, scheme, "-u", f"{user}:wrong", url) == "401"
    assert "<Display_Name_1_>" in curl(served, scheme, "-u", f"{user}:{PASSWORD}", url)


def test_factory_phone_is_never_asked_for_credentials(served: Served) -> None:
    assert status(served, "http://10.20.0.1/8841-3PCC.xml") == "200"


def test_chunked_and_encrypted_reports_and_posts_are_recorded(served: Served) -> None:
    report = "<device><flat-profile><Display_Name_1_>x</Display_Name_1_></flat-profile></device>"
    url = f"http://10.20.0.1/report/{MAC.replace(':', '')}.xml"
    assert status(served, "-X", "PUT", "-d", report, url) == "200"
    assert status(served, "-X", "PUT", "-H", "Transfer-Encoding: chunked", "-d", report, url) == "200"
    assert status(served, "-H", "Expect: 100-continue", "-d", report, url) == "200"
    assert status(served, "-d", "not xml", url) == "400"
    assert "4081001141" in curl(served, "-d", "serial=FCH1", f"http://10.20.0.1{LADDER[1]}")
    agent = "Cisco-CP-8851-3PCC/11.3.1 (001234ab45de)"
    curl(served, "-A", agent, f"http://10.20.0.1{LADDER[1]}")
    say = f"<134>CP-8851-3PCC {MAC} -- Successful resync http://10.20.0.1:80{LADDER[1]}"
    with served.client.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.sendto(say.encode(), ("10.20.0.1", 514))

    def shown() -> dict[str, object]:
        place = ["-f", str(served.site), "--state", str(served.state)]
        result = served.client.run([PYTHON, "-m", "netprov", "phones", "show", MAC, "--json", *place])
        found: dict[str, object] = json.loads(result.stdout) if result.returncode == 0 else {}
        return found if "resync done" in str(found.get("stands")) else {}

    found = wait_until(shown, what="the record", timeout=15)
    assert (found["model"], found["firmware"], found["address"]) == ("CP-8851-3PCC", "11.3.1", "10.20.0.50")
    assert "full" in str(found["reports"])
    assert "posted 11 octets" in str(found["history"])


def test_a_phones_certificate_decides_whose_profile_it_gets(served: Served, tmp_path: Path) -> None:
    """The certificate names the phone (OU, L, ST); another phone's file is then forbidden."""
    issue = [PYTHON, "-m", "netprov", "cert", "issue", "--phone", OWN_MAC, "--serial", "FCH2", "-f"]
    result = served.server.run([*issue, str(served.site), "--state", str(served.state)])
    assert result.returncode == 0, result.stdout + result.stderr
    pems = sorted((served.state / "pki" / "phones").glob("*.pem"))
    assert pems, result.stdout
    shown = ("--cert", str(pems[0]))
    assert "4081001142" in curl(served, *shown, "https://example.com/7832-3PCC.xml")
    assert status(served, *shown, f"https://example.com{LADDER[1]}") == "403"
