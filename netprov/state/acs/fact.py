"""What the ACS's events tell of a phone, for its device record."""

from __future__ import annotations

from netprov.cwmp import rpc
from netprov.cwmp.device import Faulted, FileTransferred, InformReceived, MessageRefused
from netprov.machine import Event
from netprov.provision.standing import Fact


def acs_fact(event: Event) -> Fact | None:
    """Return what an event of the ACS tells, None for any other event; a profile counts where it was fetched."""
    match event:
        case InformReceived():
            return Fact(event.source, event.mac, event.product_class, event.software, proven=None)
        case FileTransferred(fault_code=0):
            return Fact(event.source, event.mac, standing="provisioned by the ACS", proven=None)
        case FileTransferred():
            fault = rpc.Fault(event.fault_code, event.fault_text)
            return Fact(
                event.source,
                event.mac,
                standing=f"the ACS's transfer failed: {fault}",
                refused=True,
                proven=None,
            )
        case MessageRefused():
            return Fact(
                event.source,
                event.mac,
                standing=f"refused by the ACS: {event.reason}",
                refused=True,
                proven=None,
            )
        case Faulted():
            standing = f"refused the ACS's {event.method}: {event.fault}"
            return Fact("", event.mac, standing=standing, refused=True, proven=None)
        case _:
            return None
