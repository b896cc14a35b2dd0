"""What captures show, and what they do not: cases from public reports, restated with our own names and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from netprov.cwmp import rpc
from netprov.cwmp.codec import encode
from netprov.explain.capture.reading import Sighting, read_capture
from netprov.explain.engine import Story, explain
from netprov.phone.action import AskDhcp, Failed, Fetch, Lease, Resolve, Response, Step, Trouble
from netprov.phone.rule.url import Url, parse_url
from netprov.provision.crypto import encrypt_cbc, encrypt_gcm
from tests.explain.wire import Recorder, write_pcap

MAC = "00:12:34:ab:45:de"
SERVER = "10.20.0.1"
BOTH = {6: bytes([10, 20, 0, 1]), 15: b"example.com"}
PROFILE = b"<flat-profile><Display_Name_1_>desk</Display_Name_1_></flat-profile>"


def leased(options: dict[int, bytes], *, managed: bool = False) -> Step:
    vendor = "CP-8851-3PCC dslforum.org" if managed else "CP-8851-3PCC"
    return Step(AskDhcp(vendor, (66,), MAC), Lease("10.20.0.100", SERVER, options))


def got(url: str, body: bytes | int, *, headers: tuple[tuple[str, str], ...] = ()) -> Step:
    found = parse_url(url)
    fetch = Fetch(found, SERVER, verify="example.com" if found.scheme == "https" else "")
    answer = Response(body) if isinstance(body, int) else Response(200, body, headers)
    return Step(fetch, answer)


def seen(folder: Path, *steps: Step) -> list[Sighting]:
    recorder = Recorder(MAC)
    for step in steps:
        recorder.step(step)
    write_pcap(folder / "x.pcap", recorder.frames)
    return list(read_capture(str(folder / "x.pcap")).phones)


def story(folder: Path, *steps: Step) -> Story:
    (sighting,) = seen(folder, *steps)
    return explain(sighting.steps)


def cause(told: Story) -> str:
    return told.cause.id if told.cause else ""


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({66: b"http://10.30.0.9/$PSN.xml"}, "http://10.30.0.9/$PSN.xml"),
        ({150: bytes([10, 30, 0, 9])}, "10.30.0.9"),
        ({160: b"https://pr1.example.com/"}, "https://pr1.example.com/"),
        (BOTH, "_ciscoprov-https._tls.example.com"),
    ],
)
def test_a_capture_that_ends_with_the_lease_says_what_the_lease_names(
    tmp_path: Path, options: dict[int, bytes], named: str
) -> None:
    told = story(tmp_path, leased(options))
    assert cause(told) == "not-captured"
    assert named in told.detail
    assert told.cause is not None
    assert "'ip or arp'" in told.cause.remedy


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, "no-domain"), ({15: b"example.com"}, "no-dns"), ({66: bytes([10, 20, 0, 1])}, "option-octets")],
)
def test_what_the_lease_alone_shows_is_the_cause(
    tmp_path: Path, options: dict[int, bytes], expected: str
) -> None:
    assert cause(story(tmp_path, leased(options))) == expected


def test_a_nul_in_the_option_is_why_the_name_has_no_address(tmp_path: Path) -> None:
    asked = Step(Resolve("pr9.example.com", "A", (SERVER,)), Failed(Trouble.NXDOMAIN))
    told = story(tmp_path, leased({**BOTH, 66: b"pr9.example.com\0"}), asked)
    assert cause(told) == "option-odd"
    assert "NUL" in told.detail


@pytest.mark.parametrize(
    ("option", "octets"), [(125, bytes.fromhex("00000009070509") + bytes(9)), (43, b"")], ids=["125", "43"]
)
def test_odd_octets_stand_beside(tmp_path: Path, option: int, octets: bytes) -> None:
    missing = Step(Resolve("_ciscoprov-https._tls.example.com", "SRV", (SERVER,)), Failed(Trouble.NXDOMAIN))
    told = story(tmp_path, leased({**BOTH, option: octets}), missing)
    assert cause(told) == "srv-missing"
    assert [note.rule for note in told.notes] == ["option-odd"]
    assert f"option {option}" in told.notes[0].message


def test_a_second_get_to_one_server_is_no_404(tmp_path: Path) -> None:
    told = story(
        tmp_path,
        leased(BOTH),
        got("https://pr1.example.com/8851-3PCC.xml", PROFILE),
        got("https://pr1.example.com/Cisco/001234ab45de.cfg", PROFILE * 3),
    )
    assert cause(told) == ""
    assert told.hidden
    assert told.notes == ()


def test_short_answers_of_one_length_are_taken_for_an_error_page(tmp_path: Path) -> None:
    told = story(
        tmp_path,
        leased(BOTH),
        got("https://pr1.example.com/8851-3PCC.xml", 404),
        got("https://pr1.example.com/Cisco/001234ab45de.cfg", 404),
    )
    assert cause(told) == "file-missing"
    assert "inferred" in told.evidence


def test_a_discover_with_its_offer_alone_is_no_broken_boot(tmp_path: Path) -> None:
    recorder = Recorder(MAC)
    recorder.step(leased(BOTH))
    del recorder.frames[2:]
    write_pcap(tmp_path / "x.pcap", recorder.frames)
    assert read_capture(str(tmp_path / "x.pcap")).phones == ()


def test_our_own_probes_are_no_phones(tmp_path: Path) -> None:
    recorder = Recorder(MAC, address="10.20.0.250")
    head = BOOTP(op=1, chaddr=bytes.fromhex(MAC.replace(":", "")), xid=9)
    discover = head / (b"\x63\x82\x53\x63\x35\x01\x01\xff")
    frame = Ether(src="02:00:00:00:00:fa", dst="ff:ff:ff:ff:ff:ff")
    for _ in range(3):
        packet = IP(src="10.20.0.250", dst="255.255.255.255") / UDP(sport=68, dport=67) / discover
        recorder.frames.append(bytes(frame / packet))
    marked = got("http://10.20.0.1/8851-3PCC.xml", PROFILE)
    assert isinstance(marked.action, Fetch)
    marked.action.headers.update(  # type: ignore[attr-defined]
        {"User-Agent": "Cisco-CP-8851-3PCC/11.3.1 (001234ab45de)", "netprov-probe": "doctor"}
    )
    recorder.step(marked)
    write_pcap(tmp_path / "x.pcap", recorder.frames)
    assert read_capture(str(tmp_path / "x.pcap")).phones == ()


KEY = "k" * 32
RULE = f'<flat-profile><Profile_Rule>[--key "{KEY}"] http://10.20.0.1/own.xml</Profile_Rule></flat-profile>'
IKM = f"<flat-profile><IKM_HTTP_Encrypt_Content>{KEY}</IKM_HTTP_Encrypt_Content></flat-profile>"
CODED = (("Content-Encoding", "aes128gcm"),)


@pytest.mark.parametrize(
    ("first", "key", "expected"),
    [("", KEY, "encrypted"), (RULE, KEY, ""), (RULE, "another", "wrong-key")],
    ids=["no key", "the key", "another key"],
)
def test_a_key_that_the_phone_was_seen_to_get_opens_a_profile(
    tmp_path: Path, first: str, key: str, expected: str
) -> None:
    sealed = encrypt_cbc(PROFILE, key, salt=bytes(8), digest="sha256")
    before = [got("http://10.20.0.1/first.xml", first.encode())] if first else []
    told = story(
        tmp_path,
        leased({66: b"http://10.20.0.1/first.xml"}),
        *before,
        got("http://10.20.0.1/own.xml", sealed),
    )
    assert cause(told) == expected


@pytest.mark.parametrize(
    ("first", "key", "expected"),
    [("", KEY, "encrypted"), (IKM, KEY, ""), (IKM, "x" * 32, "wrong-key")],
    ids=["no key", "the key", "another key"],
)
def test_content_of_rfc_8188_is_read(tmp_path: Path, first: str, key: str, expected: str) -> None:
    sealed = encrypt_gcm(PROFILE, key.encode(), salt=bytes(16))
    before = [got("http://10.20.0.1/first.xml", first.encode())] if first else []
    told = story(
        tmp_path,
        leased({66: b"http://10.20.0.1/first.xml"}),
        *before,
        got("http://10.20.0.1/own.xml", sealed, headers=CODED),
    )
    assert cause(told) == expected


def test_messages_of_tr069_are_named(tmp_path: Path) -> None:
    def said(call: rpc.Rpc | None) -> bytes:
        return b"" if call is None else encode(rpc.Message(call, "1"))

    def post(call: rpc.Rpc | None, answer: rpc.Rpc | None) -> Step:
        url = Url("http", SERVER, 7547, "/")
        fetch = Fetch(url, SERVER, method="POST", body=said(call), headers={"SOAPAction": ""})
        return Step(fetch, Response(200 if answer else 204, said(answer)))

    told = story(
        tmp_path,
        leased({43: b"\x01\x16http://10.20.0.1:7547/"}, managed=True),
        post(None, rpc.GetRPCMethods()),
        post(rpc.Fault(9001, "Request denied"), None),
    )
    assert cause(told) == "acs-idle"
    assert "GetRPCMethods" in told.detail
    assert "9001" in told.detail
