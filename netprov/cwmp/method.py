"""The calls of an ACS that a phone answers, and what they leave to be done after the session (TR-069 annex A.3)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from netprov.cwmp import rpc
from netprov.cwmp.action import CpeEvent, DownloadAsked, ParametersSet, Restart
from netprov.cwmp.parameter import URL, Parameters

METHODS: Final = (
    "GetRPCMethods",
    "SetParameterValues",
    "GetParameterValues",
    "SetParameterAttributes",
    "GetParameterAttributes",
    "GetParameterNames",
    "AddObject",
    "DeleteObject",
    "Reboot",
    "FactoryReset",
    "Download",
)
"""What a phone answers (guide, "RPC Methods Supported"), in the guide's order."""

SCHEMES: Final = ("http", "https", "tftp")
"""What a Download may be fetched over."""

TRANSFERS: Final = 8
"""How many files may wait to be fetched."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that the ACS asked for, and when to fetch it, in seconds."""

    request: rpc.Download
    due: float


class Methods:
    """What a phone does on an ACS's calls; `restart`, `moved` and `transfers` are for after the session."""

    def __init__(self, parameters: Parameters) -> None:
        self.transfers: deque[Transfer] = deque()
        self.restart: Restart | None = None
        self.restarted_by = ""
        self.moved = False
        self.events: list[CpeEvent] = []
        self._parameters = parameters

    def serve(self, request: rpc.Rpc, now: float) -> rpc.Rpc:
        """Return the response to a call, or a fault."""
        match request:
            case rpc.GetRPCMethods():
                return rpc.GetRPCMethodsResponse(METHODS)
            case rpc.GetParameterValues():
                values = self._parameters.get(request.names)
                return values if isinstance(values, rpc.Fault) else rpc.GetParameterValuesResponse(values)
            case rpc.GetParameterNames():
                names = self._parameters.names(request.path, next_level=request.next_level)
                return names if isinstance(names, rpc.Fault) else rpc.GetParameterNamesResponse(names)
            case rpc.GetParameterAttributes():
                found = self._parameters.attributes(request.names)
                return found if isinstance(found, rpc.Fault) else rpc.GetParameterAttributesResponse(found)
            case rpc.SetParameterAttributes():
                refused = self._parameters.set_attributes(request.attributes)
                return refused or rpc.SetParameterAttributesResponse()
            case rpc.AddObject():
                number = self._parameters.add(request.name, request.parameter_key)
                return number if isinstance(number, rpc.Fault) else rpc.AddObjectResponse(number)
            case rpc.DeleteObject():
                return (
                    self._parameters.remove(request.name, request.parameter_key) or rpc.DeleteObjectResponse()
                )
            case rpc.SetParameterValues():
                return self._set(request)
            case rpc.Download():
                return self._download(request, now)
            case rpc.Reboot():
                self.restart, self.restarted_by = Restart(), request.command_key
                return rpc.RebootResponse()
            case rpc.FactoryReset():
                self.restart = Restart(factory=True)
                return rpc.FactoryResetResponse()
        return rpc.Fault(9000)

    def _set(self, request: rpc.SetParameterValues) -> rpc.SetParameterValuesResponse | rpc.Fault:
        acs_url = self._parameters.value(URL)
        fault = self._parameters.set(request.parameters, request.parameter_key)
        if fault:
            return fault
        self.moved = self.moved or self._parameters.value(URL) != acs_url
        self.events.append(ParametersSet(tuple(each.name for each in request.parameters)))
        return rpc.SetParameterValuesResponse()

    def _download(self, request: rpc.Download, now: float) -> rpc.DownloadResponse | rpc.Fault:
        if len(self.transfers) >= TRANSFERS:
            return rpc.Fault(9004)
        # Quirk: Cisco's guide names a "Custom Certificate Authority (CA) file" without giving its file type.
        if request.file_type not in {rpc.FIRMWARE, rpc.CONFIGURATION} and "CA" not in request.file_type:
            return rpc.Fault(9003, f"file type {request.file_type!r} is not supported")
        if urlsplit(request.url).scheme.lower() not in SCHEMES:
            return rpc.Fault(9013)
        self.transfers.append(Transfer(request, now + max(request.delay, 0)))
        self.events.append(DownloadAsked(request.url, request.file_type, request.command_key))
        return rpc.DownloadResponse(1)
