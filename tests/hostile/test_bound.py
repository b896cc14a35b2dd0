"""What remotes can make grow has a bound in octets, and what is parsed has one in work."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from netprov.cwmp import codec, soap
from netprov.errors import Malformed
from netprov.provision.event import Asked, Reported, SyslogLine
from netprov.provision.report import LIMITS, parse_report
from netprov.runtime.web.body import OF_ONE, TOGETHER
from netprov.state.device import load_devices, load_history, load_reports
from netprov.state.device_file import RecordLimits
from netprov.state.device_record import DeviceRecords
from netprov.xml import XmlLimits, parse_bounded
from tests.hostile.site import PHONES, Site, plain, request, serve

SMALL = XmlLimits(octets=1 << 20, elements=100, depth=10, attributes=5)


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" + b"<b/>" * 100 + b"</a>",
        b"<a>" * 11 + b"</a>" * 11,
        b"<a " + b" ".join(b'x%d=""' % number for number in range(6)) + b"/>",
        b"<a>" + b" " * (1 << 20) + b"</a>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>",
        b"",
        b'<?xml version="1.0" encoding="utf-99"?><a/>',
    ],
    ids=["elements", "depth", "attributes", "octets", "doctype", "end", "nothing", "encoding"],
)
def test_xml_that_is_too_much_or_none_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_bounded(data, SMALL)


def test_xml_at_its_bounds_is_parsed() -> None:
    root = parse_bounded(b"<a>" + b'<b v="1" w="2" x="3" y="4" z="5">t</b>' * 99 + b"</a>", SMALL)
    assert len(root) == 99
    assert (root[98].text, root[98].attrib["z"]) == ("t", "5")


def test_parser_stops_where_it_is_too_much() -> None:
    """What follows the element too many is not even looked at: it is not well-formed, and nobody says so."""
    with pytest.raises(Malformed, match="more than 100 elements"):
        parse_bounded(b"<a>" + b"<b/>" * 101 + b"</wrong>", SMALL)


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" + b"<b/>" * 1_000_000 + b"</a>",
        b"<a><b>" + b"x" * (4 << 20) + b"</b></a>",
        b"<a>" + b"".join(b"<b%d>%s</b%d>" % (n, b"x" * 900, n) for n in range(4900)) + b"</a>",
    ],
    ids=["elements", "text", "fields"],
)
def test_small_report_that_is_large_once_unpacked_is_refused_beside_honest_phones(
    tmp_path: Path, body: bytes
) -> None:
    packed = gzip.compress(body)

    async def scenario(site: Site) -> None:
        attack = request(f"/report/{plain(PHONES[0])}.xml", method="PUT", body=packed)
        replies, honest = await asyncio.gather(
            asyncio.gather(*(site.say(attack) for _ in range(20))), site.honest()
        )
        assert {reply[9:12] for reply in replies} == {b"400"}
        assert {line[9:12] for line in honest} == {b"200"}

    serve(tmp_path, scenario)
    assert load_reports(tmp_path, PHONES[0]) == ()
    assert sum(each.stat().st_size for each in (tmp_path / "records").glob("devices.sqlite*")) < 2 << 20


def test_whole_configuration_of_a_phone_is_no_attack() -> None:
    values = b"".join(b"<Parameter_%d_>%s</Parameter_%d_>" % (n, b"v" * 40, n) for n in range(2500))
    report = parse_report(b"<device><flat-profile>" + values + b"</flat-profile></device>", "/report/x.xml")
    assert len(report.fields) == 2500
    assert len(values) < LIMITS.octets


def test_report_of_nobody_in_particular_is_not_taken(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        for mac in ("001122334455", "665544332211"):
            reply = await site.say(request(f"/report/{mac}.xml", method="PUT", body=b"<a><b>1</b></a>"))
            assert reply[9:12] == b"403"

    site = serve(tmp_path, scenario)
    assert not any(isinstance(event, Reported) for event in site.events)


def record(
    state: Path,
    *events: Asked | Reported | SyslogLine,
    listed: frozenset[str] = frozenset(),
    limits: RecordLimits | None = None,
) -> list[str]:
    complaints: list[str] = []

    async def run() -> None:
        records = DeviceRecords(state, complaints.append, limits=limits)
        records.follow(listed=listed)
        await records.start()
        for place, event in enumerate(events, 1):
            records.observe("http", event)
            if not place % 50:
                await asyncio.to_thread(records._flush)
        await records.stop()

    asyncio.run(run())
    return complaints


def test_invented_phones_do_not_grow_the_records(tmp_path: Path) -> None:
    honest = [
        Asked("http", f"10.20.0.{n}", "GET", "/x", 200, "profile", mac=mac) for n, mac in enumerate(PHONES)
    ]
    invented = [
        Asked(
            "http",
            "10.20.0.250",
            "GET",
            "/x",
            200,
            "bootstrap",
            mac=f"02:00:00:00:{n // 256:02x}:{n % 256:02x}",
        )
        for n in range(1500)
    ]
    record(tmp_path, *honest, *invented, listed=frozenset(PHONES), limits=RecordLimits(unlisted=100))
    kept = {each.mac for each in load_devices(tmp_path)}
    assert kept >= set(PHONES)
    assert len(kept) <= 100 + len(PHONES)


def test_nobody_who_only_claims_to_be_a_phone_gets_a_record(tmp_path: Path) -> None:
    invented = [
        Asked("http", "10.20.0.250", "GET", "/x", 404, mac=f"02:00:00:00:00:{n:02x}", proven=False)
        for n in range(200)
    ]
    record(tmp_path, *invented)
    assert load_devices(tmp_path) == ()


def test_reports_have_a_bound_and_the_oldest_go(tmp_path: Path) -> None:
    reports = [Reported(f"10.20.0.{n}", mac, "full", "/r", {"A": "x" * 900}) for n, mac in enumerate(PHONES)]
    record(tmp_path, *reports, *reports, limits=RecordLimits(report_octets=10_000))
    kept = [mac for mac in PHONES if load_reports(tmp_path, mac)]
    assert kept
    assert sum(len(str(load_reports(tmp_path, mac)[0][2])) for mac in kept) <= 10_000
    assert kept[-1] == PHONES[-1]


def test_line_of_history_has_a_bound(tmp_path: Path) -> None:
    record(
        tmp_path,
        Asked("http", "10.20.0.5", "GET", "/" + "x" * 90_000, 400, mac=PHONES[0], reason="y" * 90_000),
    )
    (line,) = load_history(tmp_path, PHONES[0])
    assert len(line.text) + len(str(line.fields)) < 5000


def test_fault_of_a_device_has_a_bound() -> None:
    one = (
        b"<SetParameterValuesFault><ParameterName>"
        + b"n" * 900
        + b"</ParameterName><FaultCode>9005</FaultCode></SetParameterValuesFault>"
    )
    body = (
        b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">'
        b"<soap:Body><soap:Fault><detail><cwmp:Fault><FaultCode>9003</FaultCode><FaultString>"
        + b"s" * 90_000
        + b"</FaultString>"
        + one * 900
        + b"</cwmp:Fault></detail></soap:Fault></soap:Body></soap:Envelope>"
    )
    assert len(repr(codec.decode(body))) < 64 * 500


def test_envelope_of_very_many_elements_is_refused() -> None:
    with pytest.raises(Malformed, match="elements"):
        soap.decode(b"<Envelope><Body>" + b"<a/>" * 100_000 + b"</Body></Envelope>")


def test_bodies_of_one_host_have_a_bound_together_and_others_are_served(tmp_path: Path) -> None:
    """All come from one address here, so honest phones fetch without a body, and are not shed."""
    assert OF_ONE * 4 <= TOGETHER

    async def scenario(site: Site) -> None:
        size = 1_000_000
        head = request("/report/x.xml", b"Content-Length: %d" % size, method="PUT")
        connections = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(40)]
        for _, writer in connections:
            writer.write(head + b"x" * (size - 1))
        refused: set[int] = set()
        async with asyncio.timeout(60):
            while len(refused) < 30:
                for place, (reader, _) in enumerate(connections):
                    if place not in refused and reader._buffer:  # type: ignore[attr-defined]
                        assert (await reader.readline())[9:12] == b"503"
                        refused.add(place)
                await asyncio.sleep(0.01)
        assert {line[9:12] for line in await site.honest()} == {b"200"}
        for _, writer in connections:
            writer.transport.abort()

    serve(tmp_path, scenario)


def test_body_that_is_longer_than_any_report_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        reply = await site.say(request("/report/x.xml", b"Content-Length: 4194304", method="PUT"))
        assert reply[9:12] == b"413"

    serve(tmp_path, scenario)
