"""The phone's own web page and its SIP port: what is taken, what is refused, and what the phone is made to do."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.phone.handset.customization import Customization
from netprov.phone.handset.memory import Handset
from netprov.phone.life.input import FormSubmitted, Input, PowerCycled, ReportAsked, ResyncAsked, UpgradeAsked
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.notify import NotifyServer
from netprov.phone.life.page import submit, visit
from netprov.provision.auth import Authority
from tests.phone.living import live_until
from tests.phone.world import PHONE, World, no_chance

URL = "http://10.20.0.1/$MA.xml"


def handset(**values: str) -> Handset:
    made = Handset(PHONE, no_chance)
    made.parameters |= values
    return made


def visited(target: str, authorization: str | None = None, **values: str) -> tuple[int, Input | None]:
    reply = visit(LivingPhone(handset(**values)), Authority(b"k"), target, authorization)
    return reply.status, reply.event


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/admin/resync", ResyncAsked()),
        (f"/admin/resync?{URL}", ResyncAsked(URL)),
        ("/admin/resync?http://pr1/a%20b&xuser=admin&xpassword=x", ResyncAsked("http://pr1/a b")),
        ("/admin/upgrade?tftp://pr1/a.loads", UpgradeAsked("tftp://pr1/a.loads")),
        ("/admin/reboot", PowerCycled()),
        ("/", None),
    ],
)
def test_the_page_does_what_its_urls_say(target: str, expected: Input | None) -> None:
    assert visited(target) == (200, expected)


@pytest.mark.parametrize(
    ("target", "values", "status"),
    [
        ("/admin/nothing", {}, 404),
        ("/admin/resync", {"Enable_Web_Admin_Access": "No"}, 403),
        ("/admin/resync", {"Enable_Direct_Action_Url": "No"}, 403),
        ("/admin/resync", {"Provision_Enable": "No"}, 403),
        ("/admin/upgrade?x", {"Upgrade_Enable": "No"}, 403),
        ("/admin/resync", {"Admin_Password": "s3cret"}, 401),
        ("/admin/resync?&xuser=admin&xpassword=wrong", {"Admin_Password": "s3cret"}, 401),
    ],
)
def test_the_page_is_shut_by_its_parameters(target: str, values: dict[str, str], status: int) -> None:
    assert visited(target, **values) == (status, None)


def test_the_page_takes_the_password_in_the_url_or_by_basic() -> None:
    basic = "Basic " + base64.b64encode(b"admin:s3cret").decode()
    assert visited("/admin/resync", basic, Admin_Password="s3cret") == (200, ResyncAsked())
    target = "/admin/resync?http://pr1/a&xuser=admin&xpassword=s3cret"
    assert visited(target, Admin_Password="s3cret") == (200, ResyncAsked("http://pr1/a"))


# The form.


def fields(page: Sequence[str]) -> dict[str, str]:
    """Return the fields of a page, as a browser would send them back."""
    found: dict[str, str] = {}

    class Form(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "input":
                values = dict(attrs)
                found[values["name"] or ""] = values["value"] or ""

    Form().feed("\n".join(page))
    return found


RULE = "[--key s3cret] https://example.com/$PSN.xml"


def test_a_form_that_is_sent_back_as_it_is_changes_nothing() -> None:
    phone = LivingPhone(handset(Profile_Rule=RULE, Admin_Password="", GPP_A='"<&>', GPP_SA="hush"))
    shown = fields(visit(phone, Authority(b"k"), "/admin/advanced", None).text)
    assert (shown["GPP_A"], shown["GPP_SA"]) == ('"<&>', "")
    assert "s3cret" not in shown["Profile_Rule"]
    reply = submit(phone, Authority(b"k"), "/admin/advanced", None, urlencode(shown))
    assert (reply.status, reply.event) == (200, None)


def test_what_is_changed_on_the_form_is_set_when_the_phone_has_time() -> None:
    phone = LivingPhone(handset())
    shown = fields(visit(phone, Authority(b"k"), "/admin/advanced", None).text)
    changed = {**shown, "GPP_A": "a b&c", "Profile_Rule": RULE, "Admin_Password": "new"}
    reply = submit(phone, Authority(b"k"), "/admin/advanced", None, urlencode(changed))
    wanted = {("GPP_A", "a b&c"), ("Profile_Rule", RULE), ("Admin_Password", "new")}
    assert isinstance(reply.event, FormSubmitted)
    assert set(reply.event.values) == wanted
    live_until(phone, World({66: b"10.20.0.1"}), 1)
    phone.happen(reply.event, 2.0)
    live_until(phone, World({66: b"10.20.0.1"}), 30)
    assert {(name, phone.handset[name]) for name, _ in wanted} == wanted
    assert phone.handset.customization is Customization.ABORTED


@pytest.mark.parametrize(
    ("target", "body", "values", "status"),
    [
        ("/admin/advanced", "GPP_A=1", {"Enable_Web_Admin_Access": "No"}, 403),
        ("/admin/advanced", "GPP_A=1", {"Admin_Password": "s3cret"}, 401),
        ("/admin/advanced?&xuser=admin&xpassword=s3cret", "GPP_A=1", {"Admin_Password": "s3cret"}, 401),
        ("/admin/advanced", "Nothing=1", {}, 400),
        ("/admin/advanced", "GPP_A", {}, 400),
        ("/admin/advanced", "&" * 5000, {}, 400),
        ("/admin/reboot", "", {}, 405),
    ],
)
def test_nothing_else_is_submitted(target: str, body: str, values: dict[str, str], status: int) -> None:
    phone = LivingPhone(handset(**values))
    reply = submit(phone, Authority(b"k"), target, None, body)
    assert (reply.status, reply.event) == (status, None)


def test_the_form_is_for_the_administrator() -> None:
    basic = "Basic " + base64.b64encode(b"admin:s3cret").decode()
    assert visited("/admin/advanced", None, Admin_Password="s3cret") == (401, None)
    assert visited("/admin/advanced", basic, Admin_Password="s3cret") == (200, None)
    assert visited("/admin/advanced", None, Enable_Web_Admin_Access="No") == (403, None)


@pytest.fixture
def busy() -> LivingPhone:
    """Return a phone that has as much before it as it takes."""
    phone = LivingPhone(handset(**OPEN))
    while phone.happen(ResyncAsked(), 0.0):
        pass
    return phone


def test_a_phone_that_has_too_much_before_it_says_so_on_its_page_and_still_reboots(busy: LivingPhone) -> None:
    reply = visit(busy, Authority(b"k"), "/admin/resync", None)
    assert (reply.status, reply.event) == (503, None)
    assert visit(busy, Authority(b"k"), "/admin/reboot", None).event == PowerCycled()


# SIP.

ACCOUNT = {"User_ID_1_": "4081001141", "Password_1_": "pass"}


def notify(event: str, *, method: str = "NOTIFY", authorization: str = "", branch: str = "1") -> bytes:
    lines = [
        f"{method} sip:4081001141@10.20.0.50:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP 10.20.0.1:5060;branch=z9hG4bK{branch}",
        "From: <sip:server@example.com>;tag=1",
        "To: <sip:4081001141@example.com>",
        "i: call-1",
        f"CSeq: {branch} {method}",
        f"Event: {event}",
        *([f"Authorization: {authorization}"] if authorization else []),
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(data: bytes) -> int:
    return int(data.split(b" ")[1])


OPEN = {"Auth_Resync-Reboot_1_": "No"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("resync", ResyncAsked()),
        (f"resync;profile={URL}", ResyncAsked(URL)),
        ("report", ReportAsked()),
        ("reboot_now", PowerCycled()),
        ("restart_now", PowerCycled()),
    ],
)
def test_a_notify_does_what_its_event_says_once(event: str, expected: Input) -> None:
    server, phone = NotifyServer(Authority(b"k")), handset(**OPEN)
    reply = server.receive(phone, notify(event))
    assert (status_of(reply.data), reply.event) == (200, expected)
    assert b"Call-Id: call-1\r\n" in reply.data
    assert b"To: <sip:4081001141@example.com>;tag=" in reply.data
    again = server.receive(phone, notify(event))
    assert (again.data, again.event) == (reply.data, None)


@pytest.mark.parametrize(
    ("datagram", "values", "status"),
    [
        (notify("message-summary"), OPEN, 489),
        (notify("resync", method="OPTIONS"), OPEN, 405),
        (notify("resync"), {**OPEN, "Resync_From_SIP": "No"}, 403),
        (notify("resync"), {**OPEN, "Provision_Enable": "No"}, 403),
        (notify("resync"), {}, 401),
        (notify("resync", authorization='Digest username="", response=""'), {}, 401),
    ],
)
def test_a_notify_is_refused_where_it_is_not_wanted(
    datagram: bytes, values: dict[str, str], status: int
) -> None:
    reply = NotifyServer(Authority(b"k")).receive(handset(**values), datagram)
    assert (status_of(reply.data), reply.event) == (status, None)


@pytest.mark.parametrize(("password", "status"), [("pass", 200), ("wrong", 401)])
def test_a_notify_is_authenticated_by_the_account_of_line_1(password: str, status: int) -> None:
    server, phone = NotifyServer(Authority(b"k")), handset(**ACCOUNT)
    challenge = server.receive(phone, notify("resync")).data.decode()
    found = re.search(r'algorithm=MD5, nonce="([^"]+)"', challenge)
    assert found

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    uri = "sip:4081001141@10.20.0.50:5060"
    secret, what = md5("4081001141", "netprov", password), md5("NOTIFY", uri)
    response = md5(secret, found[1], "00000001", "c", "auth", what)
    header = (
        f'Digest username="4081001141", realm="netprov", nonce="{found[1]}", uri="{uri}", qop=auth, nc=00000001, '
        f'cnonce="c", response="{response}", algorithm=MD5'
    )
    reply = server.receive(phone, notify("resync", authorization=header, branch="2"))
    assert (status_of(reply.data), reply.event is not None) == (status, status == 200)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda each: notify("resync") + each))
def test_octets_of_others_get_a_sip_answer_or_none(datagram: bytes) -> None:
    server = NotifyServer(Authority(b"k"))
    for each in (datagram, datagram.replace(b"\r\n\r\n", b"\r\n", 1)):
        said = server.receive(handset(), each).data
        assert not said or (said.startswith(b"SIP/2.0 ") and said.endswith(b"\r\n\r\n"))


def test_a_notify_that_the_phone_cannot_see_to_is_answered_so_and_may_be_sent_again(
    busy: LivingPhone,
) -> None:
    server = NotifyServer(Authority(b"k"))
    refused = server.receive(busy.handset, notify("resync"), busy.takes)
    assert (status_of(refused.data), refused.event) == (503, None)
    assert b"Retry-After: 60\r\n" in refused.data
    again = server.receive(busy.handset, notify("resync"))
    assert (status_of(again.data), again.event) == (200, ResyncAsked())
