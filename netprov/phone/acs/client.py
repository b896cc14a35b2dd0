"""The phone's CWMP client as the phone's parameters want it: on or off, which ACS, how often, whose account.

Cisco's administration guide, "TR-069": `Enable_TR-069`, `ACS_URL` before what DHCP named, `Periodic_Inform_Interval`. The
parameters of both vocabularies are the same values: what a profile sets the ACS reads, what the ACS sets a report shows.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.cwmp.cpe import Cpe
from netprov.cwmp.parameter import (
    INTERVAL,
    LINE,
    LINE_AUTH_USER,
    LINE_NAME,
    LINE_PASSWORD,
    LINE_USER,
    PERIODIC,
    URL,
    lines,
    telephone,
)
from netprov.cwmp.rpc import DeviceId
from netprov.errors import Malformed
from netprov.phone.handset.management import Management
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import LINES, is_yes

PORTS = range(8000, 10000)
"""Where a phone listens for connection requests, by chance (administration guide)."""

SAME: Mapping[str, str] = {
    PERIODIC: "Periodic_Inform_Enable",
    INTERVAL: "Periodic_Inform_Interval",
    "ManagementServer.Username": "ACS_Username",
    "ManagementServer.Password": "ACS_Password",
    "ManagementServer.ConnectionRequestUsername": "Connection_Request_Username",
    "ManagementServer.ConnectionRequestPassword": "Connection_Request_Password",
}
"""Parameters of TR-069 that are parameters of the phone."""


OF_LINE: Mapping[str, str] = {
    LINE_USER: "User_ID_{}_",
    LINE_NAME: "Display_Name_{}_",
    LINE_AUTH_USER: "Auth_ID_{}_",
    LINE_PASSWORD: "Password_{}_",
}
"""Parameters of a line in both vocabularies; which of them a real phone has by TR-069 is in no guide that we have."""


def is_managed(handset: Handset) -> bool:
    """Tell whether TR-069 is on in this phone."""
    return is_yes(handset["Enable_TR-069"])


def management(handset: Handset, acs_url: str) -> Management:
    """Return the client of an ACS, with what the phone is and has now; a new one where it is another ACS."""
    found = handset.management
    if found is None or (found.url != acs_url and found.cpe.parameters.value(URL) != acs_url):
        found = _new(handset, acs_url)
        handset.management = found
    found.url = acs_url
    _tell(handset, found)
    return found


def take_over(handset: Handset, found: Management) -> None:
    """Set in the phone what the ACS has set; what a profile has set since the client was told stays."""
    parameters = found.cpe.parameters
    for suffix, name in SAME.items():
        value = parameters.value(suffix)
        if value != found.told.get(suffix):
            handset.parameters[name] = _yes(value) if suffix == PERIODIC else value
    there = parameters.instances(LINE)
    for number in range(1, LINES + 1):
        for member, name in OF_LINE.items():
            suffix = f"{LINE}{number}.{member}"
            value = parameters.value(suffix) if number in there else ""
            if value != found.told.get(suffix, ""):
                handset.parameters[name.format(number)] = value
    url = found.cpe.parameters.value(URL)
    if url != found.url:
        handset.parameters["ACS_URL"] = found.url = url


def keep(handset: Handset) -> dict[str, object] | None:
    """Return what the phone has written down of its ACS, as plain data; None where it has none."""
    found = handset.management
    if found is None:
        return None
    values, notifications = found.cpe.parameters.kept()
    return {
        "url": found.url,
        "port": found.port,
        "values": values,
        "notifications": notifications,
        "outstanding": found.cpe.outstanding.kept(),
    }


def recall(handset: Handset, data: object) -> None:
    """Take up what `keep` returned: an ACS that knows the phone is told that it starts, no more. Raises `Malformed`."""
    match data:
        case None:
            return
        case {
            "url": str(url),
            "port": int(port),
            "values": dict(values),
            "notifications": dict(wanted),
            **rest,
        } if all(isinstance(each, str) for each in (*values, *values.values(), *wanted)) and all(
            isinstance(each, int) for each in wanted.values()
        ):
            if port not in PORTS:
                raise Malformed(
                    f"the port for connection requests is {port}: {PORTS[0]} to {PORTS[-1]} are possible"
                )
            found = Management(_client(handset, url), url, port)
            found.cpe.parameters.take_up(values, wanted)
            match rest.get("outstanding", {"causes": [], "reports": []}):
                case {"causes": list(causes), "reports": list(reports)}:
                    found.cpe.outstanding.take_up(causes, reports)
                case _:
                    raise Malformed("not what a phone has still to tell its ACS")
            handset.management = found
        case _:
            raise Malformed("not what a phone has written down of its ACS")


def _client(handset: Handset, acs_url: str) -> Cpe:
    identity = handset.identity
    device = DeviceId("Cisco", identity.ma[:6].upper(), identity.model.name, identity.serial_number)
    parameters = telephone(
        device,
        acs_url,
        mac=identity.mac,
        address=handset.lease.address if handset.lease else "",
        software=handset.software,
        hardware=identity.hardware,
    )
    return Cpe(device, parameters, lambda: handset.draw(1 << 16) / (1 << 16), tables=(lines(LINES),))


def _new(handset: Handset, acs_url: str) -> Management:
    cpe = _client(handset, acs_url)
    found = Management(cpe, acs_url, PORTS.start + handset.draw(len(PORTS)), booted=True)
    for suffix, name in SAME.items():
        cpe.parameters.assign(suffix, _cwmp(suffix, handset[name]))
    address = handset.lease.address if handset.lease else ""
    cpe.parameters.assign("ManagementServer.ConnectionRequestURL", _request_url(address, found.port))
    cpe.boot(handset.now, bootstrap=True)
    return found


def _tell(handset: Handset, found: Management) -> None:
    """Tell the client what has changed in the phone, and that it has started, if it has."""
    cpe, now = found.cpe, handset.now
    address = handset.lease.address if handset.lease else ""
    values = {
        "DeviceInfo.SoftwareVersion": handset.software,
        "LAN.IPAddress": address,
        "ManagementServer.ConnectionRequestURL": _request_url(address, found.port),
        **{suffix: _cwmp(suffix, handset[name]) for suffix, name in SAME.items()},
    }
    values |= _lines(handset, found)
    found.told = values
    if found.booted:
        for suffix, value in values.items():
            cpe.change(suffix, value, now)
        return
    for suffix, value in values.items():
        cpe.parameters.change(suffix, value)  # told with the start, in one session
    found.booted = True
    cpe.boot(now)


def _lines(handset: Handset, found: Management) -> dict[str, str]:
    """Return what the phone's lines are; one that has a user or a name is there, whoever has set it."""
    parameters = found.cpe.parameters
    for number in range(1, LINES + 1):
        if any(handset[name.format(number)] for name in OF_LINE.values()):
            parameters.ensure(LINE, number)
    return {
        f"{LINE}{number}.{member}": handset[name.format(number)]
        for number in parameters.instances(LINE)
        for member, name in OF_LINE.items()
    }


def _request_url(address: str, port: int) -> str:
    return f"http://{address}:{port}/" if address else ""


def _cwmp(suffix: str, value: str) -> str:
    if suffix == PERIODIC:
        return "1" if is_yes(value) else "0"
    return value


def _yes(value: str) -> str:
    return "Yes" if value in {"1", "true"} else "No"
