"""The phone's side, answer by answer: what it does when the ACS is strange, absent or moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp import codec, rpc
from netprov.cwmp.action import Answer, Fetch, Post, ReportRefused, Restart, SessionFailed, Wait
from netprov.cwmp.cpe import Cpe
from netprov.cwmp.parameter import INTERVAL, PERIODIC, URL
from netprov.errors import Malformed
from tests.cwmp.cases import CASES
from tests.cwmp.link import ACS, phone


def answer(body: rpc.Rpc, id_: str | None = None, *, hold: bool = False) -> Answer:
    """Return what the ACS says: a call with an ID of its own, an answer with that of the only request that is out."""
    if id_ is None:
        id_ = "" if rpc.is_answer(body) else "9"
    return Answer(
        200, (("Content-Type", "text/xml"),), codec.encode(rpc.Message(body, id_, "1-0", hold_requests=hold))
    )


def opened() -> Cpe:
    """Return a phone whose Inform was taken in: it is the ACS's turn."""
    cpe = phone()
    cpe.boot(0)
    cpe.next_action(0)
    cpe.posted(answer(rpc.InformResponse()), 0)
    return cpe


def posted(cpe: Cpe, now: float = 0) -> rpc.Message:
    action = cpe.next_action(now)
    assert isinstance(action, Post)
    return codec.decode(action.body)


def posted_body(cpe: Cpe) -> bytes:
    action = cpe.next_action(1)
    assert isinstance(action, Post)
    return action.body


def said(cpe: Cpe, request: rpc.Rpc) -> rpc.Rpc:
    cpe.posted(answer(request), 0)
    return posted(cpe).rpc


def test_inform_says_who_and_why() -> None:
    cpe = phone()
    cpe.boot(0, bootstrap=True)
    action = cpe.next_action(0)
    assert isinstance(action, Post)
    assert action.headers == (("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", ""))
    inform = posted(cpe).rpc
    assert isinstance(inform, rpc.Inform)
    assert (
        inform.device.product_class, [each.code for each in inform.events], inform.retry_count,
        inform.parameter("LAN.MACAddress"),
    ) == ("CP-8851-3PCC", ["0 BOOTSTRAP", "1 BOOT"], 0, "00:12:34:ab:45:de")  # fmt: skip


def test_empty_post_has_no_content_type_and_every_cookie() -> None:
    cpe = phone()
    cpe.boot(0)
    cpe.next_action(0)
    cookies = (("Set-Cookie", "a=1; Path=/; HttpOnly"), ("set-cookie", "b=2"), ("Set-Cookie", "nothing"))
    cpe.posted(Answer(200, cookies, answer(rpc.InformResponse()).body), 0)
    assert Post(ACS, b"", (("Cookie", "a=1; b=2"),)) == cpe.next_action(0)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (rpc.GetParameterValues(("Device.LAN.MACAddress",)),
         rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.LAN.MACAddress", "00:12:34:ab:45:de"),))),
        (rpc.GetParameterValues(("Device.Nothing",)), rpc.Fault(9005, "Invalid parameter name")),
        (rpc.GetParameterNames("Device.LAN.", next_level=True),
         rpc.GetParameterNamesResponse((("Device.LAN.IPAddress", False), ("Device.LAN.MACAddress", False)))),
        (rpc.GetParameterNames("Nothing."), rpc.Fault(9005, "Invalid parameter name")),
        (rpc.Download("k", "2 Web Content", "https://x/"),
         rpc.Fault(9003, "file type '2 Web Content' is not supported")),
        (rpc.Download("k", rpc.CONFIGURATION, "ftp://x/"),
         rpc.Fault(9013, "Unsupported protocol for file transfer")),
        (rpc.Download("k", "X CISCO CA", "http://x/"), rpc.DownloadResponse(1)),
        (rpc.GetParameterAttributes(("Device.LAN.IPAddress",)),
         rpc.GetParameterAttributesResponse((rpc.Attributes("Device.LAN.IPAddress"),))),
        (rpc.SetParameterAttributes((rpc.NewAttributes("Device.LAN.", 2),)), rpc.SetParameterAttributesResponse()),
        (rpc.SetParameterAttributes((rpc.NewAttributes("Device.None", 2),)),
         rpc.Fault(9005, "Invalid parameter name")),
        (rpc.AddObject("Device.LAN."), rpc.Fault(9005, "Invalid parameter name")),
        (rpc.DeleteObject("Device.LAN.1."), rpc.Fault(9005, "Invalid parameter name")),
        (rpc.TransferComplete("k"), rpc.Fault(9000, "Method not supported")),
    ],
)  # fmt: skip
def test_phone_answers_a_call(request_: rpc.Rpc, expected: rpc.Rpc) -> None:
    assert expected == said(opened(), request_)


def test_answer_repeats_the_id_and_namespace_of_the_call() -> None:
    cpe = opened()
    cpe.posted(Answer(200, (), codec.encode(rpc.Message(rpc.GetRPCMethods(), "abc", "1-4"))), 0)
    message = posted(cpe)
    assert (message.id, message.version) == ("abc", "1-4")
    assert isinstance(message.rpc, rpc.GetRPCMethodsResponse)


def test_number_of_waiting_files_is_limited() -> None:
    cpe = opened()
    answers = [said(cpe, rpc.Download(str(n), rpc.CONFIGURATION, "http://x/")) for n in range(9)]
    assert [rpc.DownloadResponse(1)] * 8 + [rpc.Fault(9004, "Resources exceeded")] == answers


def test_delayed_download_is_waited_for() -> None:
    cpe = opened()
    said(cpe, rpc.Download("k", rpc.FIRMWARE, "http://x/f", delay=30))
    cpe.posted(Answer(204), 0)
    assert Wait(30, "delay") == cpe.next_action(0)
    assert Fetch("http://x/f", rpc.FIRMWARE) == cpe.next_action(30)


def test_firmware_does_not_make_a_phone_configured() -> None:
    cpe = opened()
    said(cpe, rpc.Download("k", rpc.FIRMWARE, "http://x/f"))
    cpe.posted(Answer(204), 0)
    cpe.next_action(0)
    cpe.fetched(1)
    assert isinstance(posted(cpe, 1).rpc, rpc.Inform)
    cpe.posted(answer(rpc.InformResponse()), 1)
    assert isinstance(posted(cpe, 1).rpc, rpc.TransferComplete)
    cpe.posted(answer(rpc.TransferCompleteResponse()), 1)
    cpe.posted(Answer(204), 1)
    assert cpe.settled
    assert not cpe.configured


def test_held_requests_wait_for_the_next_session() -> None:
    cpe = transferred()
    cpe.posted(answer(rpc.InformResponse(), hold=True), 1)
    assert posted_body(cpe) == b""
    cpe.posted(Answer(204), 1)
    inform = posted(cpe, 1).rpc
    assert isinstance(inform, rpc.Inform)
    assert rpc.EventCode("M Download", "k") in inform.events


def test_reboot_happens_after_the_session_and_is_told_in_the_next() -> None:
    cpe = opened()
    assert rpc.RebootResponse() == said(cpe, rpc.Reboot("why"))
    cpe.posted(Answer(204), 0)
    assert Restart() == cpe.next_action(0)
    assert not cpe.settled
    cpe.boot(50)
    inform = posted(cpe, 50).rpc
    assert isinstance(inform, rpc.Inform)
    assert (rpc.EventCode("M Reboot", "why"), rpc.EventCode("1 BOOT")) == inform.events


def test_factory_reset_happens_after_the_session() -> None:
    cpe = opened()
    assert rpc.FactoryResetResponse() == said(cpe, rpc.FactoryReset())
    cpe.posted(Answer(204), 0)
    assert Restart(factory=True) == cpe.next_action(0)


def test_phone_that_is_given_another_acs_bootstraps_there() -> None:
    cpe = opened()
    said(cpe, rpc.SetParameterValues((rpc.ParameterValue("Device." + URL, "http://other/"),), "k"))
    cpe.posted(Answer(204), 0)
    action = cpe.next_action(0)
    assert isinstance(action, Post)
    assert action.url == "http://other/"
    inform = posted(cpe).rpc
    assert isinstance(inform, rpc.Inform)
    assert (rpc.EventCode("0 BOOTSTRAP"),) == inform.events


def test_change_opens_a_session_where_the_acs_wants_that() -> None:
    cpe = opened()
    said(cpe, rpc.SetParameterAttributes((rpc.NewAttributes("Device.LAN.IPAddress", 2),)))
    cpe.posted(Answer(204), 0)
    cpe.change("LAN.MACAddress", "00:00:00:00:00:01", 1)
    assert isinstance(cpe.next_action(1), Wait)
    cpe.change("LAN.IPAddress", "10.20.0.99", 2)
    inform = posted(cpe, 2).rpc
    assert isinstance(inform, rpc.Inform)
    assert inform.events == (rpc.EventCode("4 VALUE CHANGE"),)
    assert inform.parameter("LAN.IPAddress") == "10.20.0.99"
    cpe.posted(answer(rpc.InformResponse()), 2)
    cpe.posted(Answer(204), 2)
    assert cpe.settled


def test_methods_are_those_of_the_guide() -> None:
    answered = said(opened(), rpc.GetRPCMethods())
    assert isinstance(answered, rpc.GetRPCMethodsResponse)
    assert set(answered.methods) == {
        *("GetRPCMethods", "SetParameterValues", "GetParameterValues", "SetParameterAttributes"),
        *(
            "GetParameterAttributes",
            "GetParameterNames",
            "AddObject",
            "DeleteObject",
            "Reboot",
            "FactoryReset",
        ),
        "Download",
    }


def test_periodic_inform_follows_the_interval_or_never_comes() -> None:
    cpe = opened()
    said(cpe, rpc.SetParameterValues((rpc.ParameterValue("Device." + INTERVAL, "90", "xsd:unsignedInt"),)))
    cpe.posted(Answer(204), 10)
    assert Wait(100, "periodic") == cpe.next_action(10)
    inform = posted(cpe, 100).rpc
    assert isinstance(inform, rpc.Inform)
    assert (rpc.EventCode("2 PERIODIC"),) == inform.events
    cpe.posted(answer(rpc.InformResponse()), 100)
    said(cpe, rpc.SetParameterValues((rpc.ParameterValue("Device." + PERIODIC, "0", "xsd:boolean"),)))
    cpe.posted(Answer(204), 100)
    assert Wait(float("inf"), "periodic") == cpe.next_action(100)


def test_redirect_is_followed_with_the_same_message_and_without_the_cookies() -> None:
    cpe = phone()
    cpe.boot(0)
    first = cpe.next_action(0)
    assert isinstance(first, Post)
    cpe.posted(Answer(302, (("Set-Cookie", "a=1"), ("location", "https://pr2.example.com/x"))), 0)
    assert Post("https://pr2.example.com/x", first.body, first.headers) == cpe.next_action(0)


def test_redirects_end() -> None:
    cpe = phone()
    cpe.boot(0)
    cpe.next_action(0)
    for _ in range(6):
        cpe.posted(Answer(307, (("Location", "/again"),)), 0)
    assert "redirected" in cpe.failure


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Answer(503), "HTTP 503"),
        (Answer(401), "HTTP 401"),
        (Answer(302), "HTTP 302"),
        (Answer(302, (("Location", "ftp://x/"),)), "redirected"),
        (Answer(200, (), b"<html/>"), "cannot be read"),
        (Answer(204), "nothing out of turn"),
        (Answer(200), "nothing out of turn"),
        (answer(rpc.Fault(8001, "Request denied")), "8001 Request denied"),
        (answer(rpc.Reboot(), ""), "Reboot out of turn"),
        (answer(rpc.Reboot()), "the ID '9', 1 was asked"),
        (answer(rpc.InformResponse(), "2"), "the ID '2', 1 was asked"),
    ],
)
def test_inform_that_is_not_taken_in_is_retried_and_the_reason_kept(reply: Answer, reason: str) -> None:
    cpe = phone()
    cpe.boot(0)
    cpe.next_action(0)
    cpe.posted(reply, 0)
    assert reason in cpe.failure
    assert not cpe.settled
    assert [SessionFailed(cpe.failure)] == list(cpe.events())
    assert Wait(7.5, "retry") == cpe.next_action(0)
    inform = posted(cpe, 7.5).rpc
    assert isinstance(inform, rpc.Inform)
    assert (1, (rpc.EventCode("1 BOOT"),)) == (inform.retry_count, inform.events)


def test_waits_between_retries_double_ten_times() -> None:
    """TR-069 3.2.1.1, table 3: 5-10 s, 10-20 s … 2560-5120 s; half way between with this random number."""
    cpe = phone()
    cpe.boot(0)
    waits = []
    now = 0.0
    for _ in range(12):
        cpe.next_action(now)
        cpe.post_failed("connection refused", now)
        action = cpe.next_action(now)
        assert isinstance(action, Wait)
        waits.append(action.until - now)
        now = action.until
    assert [7.5 * 2**n for n in range(10)] + [3840.0, 3840.0] == waits


def test_acs_url_that_is_none_is_said() -> None:
    cpe = phone("ftp://acs/")
    cpe.boot(0)
    assert "not an HTTP URL" in cpe.failure


def test_late_answers_change_nothing() -> None:
    cpe = phone()
    cpe.posted(Answer(200), 0)
    cpe.post_failed("late", 0)
    cpe.fetched(0)
    assert cpe.settled
    assert cpe.failure == ""


def test_answer_with_the_id_of_the_inform_or_none_is_taken() -> None:
    for id_ in ("1", ""):
        cpe = phone()
        cpe.boot(0)
        cpe.next_action(0)
        cpe.posted(answer(rpc.InformResponse(), id_), 0)
        assert posted_body(cpe) == b""


def test_request_that_is_to_be_retried_is_made_again_as_it_was_and_not_for_ever() -> None:
    """Fault 8005 (annex A.5.2) keeps the session; the eleventh ends it as a failure."""
    cpe = phone()
    cpe.boot(0)
    first = posted_body(cpe)
    for _ in range(10):
        cpe.posted(answer(rpc.Fault(8005)), 0)
        assert posted_body(cpe) == first
    cpe.posted(answer(rpc.Fault(8005)), 0)
    assert cpe.failure == "the ACS refused: 8005 Retry request"


def transferred() -> Cpe:
    """Return a phone that has fetched a file and has opened the session in which it tells."""
    cpe = opened()
    said(cpe, rpc.Download("k", rpc.FIRMWARE, "http://x/f"))
    cpe.posted(Answer(204), 0)
    cpe.next_action(0)
    cpe.fetched(1)
    cpe.next_action(1)
    return cpe


def test_report_that_the_acs_refuses_is_not_told_again_and_one_that_is_to_be_retried_is() -> None:
    cpe = transferred()
    cpe.posted(answer(rpc.InformResponse()), 1)
    report = posted_body(cpe)
    cpe.posted(answer(rpc.Fault(8005)), 1)
    assert posted_body(cpe) == report
    cpe.events()
    cpe.posted(answer(rpc.Fault(8003)), 1)
    assert list(cpe.events()) == [ReportRefused("http://x/f", "8003 Invalid arguments")]
    assert posted_body(cpe) == b""
    cpe.posted(Answer(204), 1)
    assert cpe.settled


def test_held_requests_are_made_in_the_same_session_once_they_are_not_held_any_more() -> None:
    """Section 3.7.1.4: a session does not end while the phone has requests that it may make."""
    cpe = transferred()
    cpe.posted(answer(rpc.InformResponse(), hold=True), 1)
    assert posted_body(cpe) == b""
    assert isinstance(said(cpe, rpc.GetRPCMethods()), rpc.GetRPCMethodsResponse)
    cpe.posted(Answer(204), 1)
    assert isinstance(posted(cpe, 1).rpc, rpc.TransferComplete)
    cpe.posted(answer(rpc.TransferCompleteResponse()), 1)
    assert posted_body(cpe) == b""
    cpe.posted(Answer(204), 1)
    assert cpe.settled


@pytest.mark.parametrize("body", [rpc.Fault(9000), rpc.InformResponse(), rpc.Unknown("KickedResponse")])
def test_answer_to_nothing_ends_the_session(body: rpc.Rpc) -> None:
    """No fault is answered to a fault, or two sides would fault each other for ever."""
    cpe = opened()
    xml = codec.encode(rpc.Message(rpc.Reboot(), "9")).replace(b"Reboot", b"KickedResponse")
    cpe.posted(Answer(200, (), xml) if isinstance(body, rpc.Unknown) else answer(body), 0)
    assert cpe.failure.endswith("out of turn")


def test_connection_request_waits_for_no_retry() -> None:
    """Section 3.2.2: a session is attempted within 30 seconds of it, whatever has failed before."""
    cpe = phone()
    cpe.boot(0)
    for now in (0, 100, 200, 300):
        cpe.next_action(now)
        cpe.post_failed("connection refused", now)
    assert isinstance(cpe.next_action(300), Wait)
    cpe.trigger(rpc.EventCode("4 VALUE CHANGE"), 300)
    assert isinstance(cpe.next_action(300), Wait)
    cpe.trigger(rpc.EventCode("6 CONNECTION REQUEST"), 300)
    inform = posted(cpe, 300).rpc
    assert isinstance(inform, rpc.Inform)
    assert (inform.retry_count, [each.code for each in inform.events]) == (
        4,
        ["1 BOOT", "4 VALUE CHANGE", "6 CONNECTION REQUEST"],
    )


def test_restart_begins_to_count_retries_anew() -> None:
    """Table 3 of section 3.2.1.1 counts the attempts after a restart."""
    cpe = phone()
    cpe.boot(0)
    for now in (0, 100, 200):
        cpe.next_action(now)
        cpe.post_failed("connection refused", now)
    cpe.boot(300)
    inform = posted(cpe, 300).rpc
    assert isinstance(inform, rpc.Inform)
    assert inform.retry_count == 0


def test_file_that_was_not_fetched_when_the_power_went_is_fetched_when_it_is_back() -> None:
    cpe = opened()
    said(cpe, rpc.Download("k", rpc.CONFIGURATION, "http://x/f"))
    cpe.posted(Answer(204), 0)
    assert isinstance(cpe.next_action(0), Fetch)
    cpe.interrupt()
    cpe.boot(50)
    cpe.next_action(50)
    cpe.posted(answer(rpc.InformResponse()), 50)
    cpe.posted(Answer(204), 50)
    assert cpe.next_action(50) == Fetch("http://x/f", rpc.CONFIGURATION)


@pytest.mark.fuzz
@given(
    st.lists(
        st.one_of(
            st.builds(
                Answer, st.sampled_from([200, 204, 302, 400, 401, 500]), st.just(()), st.binary(max_size=60)
            ),
            st.sampled_from([answer(body) for _, body, _ in CASES]),
        ),
        max_size=20,
    )
)
def test_fuzz_whatever_the_acs_says_nothing_is_raised(answers: list[Answer]) -> None:
    cpe = phone()
    now = 0.0
    cpe.boot(now)
    for each in answers:
        match cpe.next_action(now):
            case Post() as post:
                if post.body:
                    try:
                        codec.decode(post.body)
                    except Malformed as error:
                        pytest.fail(str(error))
                cpe.posted(each, now)
            case Fetch():
                cpe.fetched(now)
            case Restart():
                cpe.boot(now)
            case Wait(until):
                now = min(until, now + 1e6)
