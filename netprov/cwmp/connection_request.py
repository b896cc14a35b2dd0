"""What an ACS needs for a connection request: an account that it sets on the device, and a URL that may be asked (TR-069 3.2.2).

Pure. The account is made for each device and set in its first session; the URL is the one that the device told. An ACS asks no
URL but one at the very address that the device Informed from: a device must not have it ask others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from netprov.cwmp import rpc
from netprov.cwmp.device import TEXT, Device, root_of
from netprov.cwmp.parameter import REQUEST_PASSWORD, REQUEST_URL, REQUEST_USER
from netprov.errors import Malformed

USER: Final = "netprov"
"""The user name on every device; the passwords differ."""


def account_for(
    device: Device, inform: rpc.Inform, parameter_key: str, draw: Callable[[], str]
) -> rpc.SetParameterValues | None:
    """Return the call that sets a password, drawn for it, for connection requests; None for a device that has one or takes none."""
    told = inform.parameter(REQUEST_URL)
    if not device.listed or not told or device.request_password or device.request_refused:
        return None
    root = root_of(inform)
    values = (
        rpc.ParameterValue(root + REQUEST_USER, USER),
        rpc.ParameterValue(root + REQUEST_PASSWORD, draw()),
    )
    return rpc.SetParameterValues(values, parameter_key)


def after_account(device: Device, call: rpc.SetParameterValues, said: rpc.Rpc) -> Device:
    """Return a device's record once it has answered the call that sets its account."""
    if isinstance(said, rpc.SetParameterValuesResponse):
        return replace(device, request_password=call.parameters[-1].value)
    return replace(device, request_refused=str(said)[:TEXT])


def url_of(device: Device) -> str:
    """Return the URL of a device's connection requests. Raises `Malformed`, with why none can be made."""
    if not device.request_url:
        raise Malformed("it told no ConnectionRequestURL")
    try:
        parts = urlsplit(device.request_url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Malformed(f"its ConnectionRequestURL is none: {device.request_url!r}") from error
    if parts.scheme != "http" or not host or port == 0 or "@" in parts.netloc:
        raise Malformed(f"its ConnectionRequestURL {device.request_url!r} is no http:// URL of a device")
    if host != device.address:
        raise Malformed(f"its ConnectionRequestURL is at {host!r}, and the device at {device.address}")
    if device.request_refused:
        raise Malformed(f"it took no account for connection requests: {device.request_refused}")
    if not device.request_password:
        raise Malformed("it gets its account for connection requests in its next session")
    return device.request_url
