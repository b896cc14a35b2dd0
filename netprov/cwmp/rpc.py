"""The remote procedure calls of CWMP as values (TR-069 Amendment 6 annex A), and their XML.

Those are here that a Cisco phone supports (guide, "TR69 RPC Methods") and both roles use. Arguments are written in
the schema's order and read by name, in any order. Deliberately absent: Upload, ScheduleInform and the software module
methods; an unknown method is kept as `Unknown`, for a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from netprov.cwmp.fault import describe

UNKNOWN_TIME: Final = "0001-01-01T00:00:00Z"
"""The dateTime that says that a time is not known (annex A.2.1)."""

FIRMWARE: Final = "1 Firmware Upgrade Image"
CONFIGURATION: Final = "3 Vendor Configuration File"
CUSTOM_CA: Final = "X 00000C Custom CA File"
"""Quirk: Cisco's guide offers a "Custom Certificate Authority (CA) file" and does not say what its file type is called on the wire.

TR-069 has vendors write `X OUI NAME`; 00000C is Cisco's OUI."""


@dataclass(frozen=True, slots=True)
class DeviceId:
    """Who a CPE is (annex A.3.3.1); OUI is six hexadecimal digits."""

    manufacturer: str
    oui: str
    product_class: str
    serial: str

    def __str__(self) -> str:
        return "-".join(part for part in (self.oui, self.product_class, self.serial) if part)


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter's full name, value and XML type, always spelt with the prefix xsd."""

    name: str
    value: str
    type: str = "xsd:string"


@dataclass(frozen=True, slots=True)
class EventCode:
    """Why a session was opened; `command_key` is of the request that led to it (section 3.7.1.5)."""

    code: str
    command_key: str = ""


@dataclass(frozen=True, slots=True)
class ParameterFault:
    """What is wrong with one parameter of SetParameterValues."""

    name: str
    code: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Inform:
    """The CPE opens a session (annex A.3.3.1); `current_time` as sent."""

    device: DeviceId
    events: tuple[EventCode, ...]
    parameters: tuple[ParameterValue, ...] = ()
    current_time: str = UNKNOWN_TIME
    retry_count: int = 0
    max_envelopes: int = 1

    def parameter(self, suffix: str) -> str:
        """Return the value of the first parameter whose name ends so, whatever its root object; "" if none does."""
        return next((each.value for each in self.parameters if each.name.endswith(suffix)), "")


@dataclass(frozen=True, slots=True)
class InformResponse:
    """The ACS has taken the Inform in; MaxEnvelopes is always 1."""

    max_envelopes: int = 1


@dataclass(frozen=True, slots=True)
class GetRPCMethods:
    """Either side asks which methods the other supports (annex A.3.1.1)."""


@dataclass(frozen=True, slots=True)
class GetRPCMethodsResponse:
    """The methods, by name."""

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetParameterNames:
    """The ACS asks which parameters are under a path (annex A.3.2.3); `next_level` only those one level down."""

    path: str
    next_level: bool = False


@dataclass(frozen=True, slots=True)
class GetParameterNamesResponse:
    """Names, each with whether it can be set."""

    names: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class GetParameterValues:
    """The ACS asks for values; a name that ends in a dot is everything under it (annex A.3.2.2)."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetParameterValuesResponse:
    """The values asked for."""

    parameters: tuple[ParameterValue, ...]


@dataclass(frozen=True, slots=True)
class SetParameterValues:
    """The ACS sets values, all or none (annex A.3.2.1); `parameter_key` is reported in later Informs."""

    parameters: tuple[ParameterValue, ...]
    parameter_key: str = ""


@dataclass(frozen=True, slots=True)
class SetParameterValuesResponse:
    """Status 0: applied; 1: applied after the next reboot."""

    status: int = 0


@dataclass(frozen=True, slots=True)
class Attributes:
    """How a CPE tells of changes of a parameter (annex A.3.2.4): 0 not, 1 in its next Inform, 2 at once.

    `access` names those beside the ACS who may change it; "Subscriber" is the only name there is.
    """

    name: str
    notification: int = 0
    access: tuple[str, ...] = ("Subscriber",)


@dataclass(frozen=True, slots=True)
class NewAttributes:
    """What SetParameterAttributes wants of a parameter, or of all under a path; None leaves it as it is."""

    name: str
    notification: int | None = None
    access: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class GetParameterAttributes:
    """The ACS asks for attributes; a name that ends in a dot is everything under it (annex A.3.2.5)."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GetParameterAttributesResponse:
    """The attributes asked for."""

    attributes: tuple[Attributes, ...]


@dataclass(frozen=True, slots=True)
class SetParameterAttributes:
    """The ACS sets attributes, all or none (annex A.3.2.4)."""

    attributes: tuple[NewAttributes, ...]


@dataclass(frozen=True, slots=True)
class SetParameterAttributesResponse:
    """They are set."""


@dataclass(frozen=True, slots=True)
class AddObject:
    """The ACS makes an instance of an object (annex A.3.2.6)."""

    name: str
    parameter_key: str = ""


@dataclass(frozen=True, slots=True)
class AddObjectResponse:
    """The instance that was made; `status` 0: it is there."""

    number: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """The ACS removes an instance of an object (annex A.3.2.7)."""

    name: str
    parameter_key: str = ""


@dataclass(frozen=True, slots=True)
class DeleteObjectResponse:
    """The instance was removed; `status` 0: it is gone."""

    status: int = 0


@dataclass(frozen=True, slots=True)
class Download:
    """The ACS has the CPE fetch a file (annex A.3.2.8); `delay` in seconds, `size` in octets, 0 if not said."""

    command_key: str
    file_type: str
    url: str
    username: str = ""
    password: str = ""
    size: int = 0
    target_name: str = ""
    delay: int = 0
    success_url: str = ""
    failure_url: str = ""


@dataclass(frozen=True, slots=True)
class DownloadResponse:
    """Status 0: done; 1: a TransferComplete will follow."""

    status: int = 1
    start: str = UNKNOWN_TIME
    complete: str = UNKNOWN_TIME


@dataclass(frozen=True, slots=True)
class TransferComplete:
    """The CPE says how a transfer ended (annex A.3.3.2); fault code 0 is success."""

    command_key: str
    fault_code: int = 0
    fault_text: str = ""
    start: str = UNKNOWN_TIME
    complete: str = UNKNOWN_TIME


@dataclass(frozen=True, slots=True)
class TransferCompleteResponse:
    """The ACS has noted it."""


@dataclass(frozen=True, slots=True)
class Reboot:
    """The ACS has the CPE restart (annex A.3.2.9)."""

    command_key: str = ""


@dataclass(frozen=True, slots=True)
class RebootResponse:
    """The CPE will restart once the session is over."""


@dataclass(frozen=True, slots=True)
class FactoryReset:
    """The ACS has the CPE forget everything (annex A.3.2.12)."""


@dataclass(frozen=True, slots=True)
class FactoryResetResponse:
    """The CPE will reset once the session is over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A request was refused (section 3.5, annex A.5); `parameters` only where SetParameterValues was."""

    code: int
    text: str = ""
    parameters: tuple[ParameterFault, ...] = ()

    def __str__(self) -> str:
        said = self.text or describe(self.code)
        return f"{self.code} {said}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A method that is not in the table, by its name."""

    method: str


Rpc = (
    Inform
    | InformResponse
    | GetRPCMethods
    | GetRPCMethodsResponse
    | GetParameterNames
    | GetParameterNamesResponse
    | GetParameterValues
    | GetParameterValuesResponse
    | SetParameterValues
    | SetParameterValuesResponse
    | GetParameterAttributes
    | GetParameterAttributesResponse
    | SetParameterAttributes
    | SetParameterAttributesResponse
    | AddObject
    | AddObjectResponse
    | DeleteObject
    | DeleteObjectResponse
    | Download
    | DownloadResponse
    | TransferComplete
    | TransferCompleteResponse
    | Reboot
    | RebootResponse
    | FactoryReset
    | FactoryResetResponse
    | Fault
    | Unknown
)


@dataclass(frozen=True, slots=True)
class Message:
    """One call, response or fault with the headers that go with it (section 3.5).

    `supported` are protocol versions that a CPE offers with its Inform, `use` the one that the ACS takes, as `1.4`.
    """

    rpc: Rpc
    id: str = ""
    version: str = "1-0"
    hold_requests: bool = False
    supported: tuple[str, ...] = ()
    use: str = ""


def method_of(call: Rpc) -> str:
    """Return the name of the method that a call, or the answer to one, is of."""
    return call.method if isinstance(call, Unknown) else type(call).__name__


def is_answer(body: Rpc) -> bool:
    """Say whether a message answers a call."""
    return isinstance(body, Fault) or method_of(body).endswith("Response")
