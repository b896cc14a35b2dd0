"""The account of connection requests, and which URL an ACS asks."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.connection_request import USER, account_for, after_account, url_of
from netprov.cwmp.device import Device, after_inform
from netprov.cwmp.parameter import REQUEST_PASSWORD, REQUEST_URL, REQUEST_USER
from netprov.errors import Malformed
from tests.cwmp.link import PHONE, Link, config, phone

KEY = str(PHONE)
URL = "http://10.20.0.54:8123/x"
READY = Device(KEY, listed=True, address="10.20.0.54", request_url=URL, request_password="p1")


def linked(url: str = URL) -> Link:
    numbers = count(1)
    cpe = phone()
    cpe.parameters.assign(REQUEST_URL, url)
    return Link(cpe, Acs(config(), draw_password=lambda: f"p{next(numbers)}"))


def session(link: Link, *, bootstrap: bool = False) -> None:
    link.cpe.boot(link.now, bootstrap=bootstrap)
    link.run()


def has(link: Link) -> tuple[str, str]:
    return link.cpe.parameters.value(REQUEST_USER), link.cpe.parameters.value(REQUEST_PASSWORD)


def test_phone_gets_its_account_in_its_first_session_and_no_other_in_the_next() -> None:
    link = linked()
    session(link, bootstrap=True)
    assert has(link) == (USER, "p1")
    session(link)
    assert has(link) == (USER, "p1")
    known = link.acs.devices[KEY]
    assert (known.request_url, known.request_password) == (URL, "p1")
    assert "p1" not in repr(known)


def test_phone_that_was_reset_or_refuses_its_account_gets_another() -> None:
    link = linked()
    session(link, bootstrap=True)
    session(link, bootstrap=True)
    assert has(link) == (USER, "p2")
    link.acs.account_void(KEY, "p1")
    session(link)
    assert has(link) == (USER, "p2"), "it was another one's refusal, of a password that is no more"
    link.acs.account_void(KEY, "p2")
    session(link)
    assert has(link) == (USER, "p3")


def test_phone_that_tells_no_url_gets_no_account() -> None:
    link = linked("")
    session(link, bootstrap=True)
    assert has(link) == ("", "")


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (replace(READY, request_url=""), "told no"),
        (replace(READY, request_url="http://10.20.0.1:8123/x"), "is at '10.20.0.1'"),
        (replace(READY, request_url="http://10.20.0.54.example.com/"), "is at"),
        (replace(READY, request_url="http://pr1.example.com/"), "is at"),
        (replace(READY, request_url="http://10.20.0.54@10.20.0.1/"), "no http"),
        (replace(READY, request_url="https://10.20.0.54/"), "no http"),
        (replace(READY, request_url="file:///etc/passwd"), "no http"),
        (replace(READY, request_url="http://10.20.0.54:99999/"), "is none"),
        (replace(READY, request_url="http://[10.20.0.54/"), "is none"),
        (replace(READY, request_url="http://10.20.0.54:0/"), "no http"),
        (replace(READY, request_password=""), "in its next session"),
        (replace(READY, request_password="", request_refused="9001"), "took no account"),
    ],
)
def test_no_other_url_than_one_of_the_device_itself_is_asked(device: Device, why: str) -> None:
    assert url_of(READY) == URL
    with pytest.raises(Malformed, match=why):
        url_of(device)


def test_account_that_a_phone_refuses_is_not_set_again_until_it_is_reset() -> None:
    new = replace(READY, request_password="")
    inform = rpc.Inform(PHONE, (), parameters=(rpc.ParameterValue(f"Device.{REQUEST_URL}", URL),))
    call = account_for(new, inform, "key", lambda: "p1")
    assert call is not None
    assert call.parameter_key == "key", "the settings that it has stay those that it tells"
    assert after_account(new, call, rpc.SetParameterValuesResponse()).request_password == "p1"
    refused = after_account(new, call, rpc.Fault(9001))
    assert (refused.request_password, account_for(refused, inform, "key", lambda: "p2")) == ("", None)
    reset = after_inform(refused, inform, ("0 BOOTSTRAP",), 0)
    assert account_for(reset, inform, "key", lambda: "p2") is not None


def test_stranger_gets_no_account() -> None:
    inform = rpc.Inform(PHONE, (), parameters=(rpc.ParameterValue(f"Device.{REQUEST_URL}", URL),))
    assert account_for(replace(READY, listed=False, request_password=""), inform, "", lambda: "p1") is None
