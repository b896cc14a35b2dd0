"""The data model of a CPE: its parameters by name, and the rules for reading and setting them (TR-069 annex A.3.2).

The standard set is the one of a telephone: TR-106's `Device` root with DeviceInfo, ManagementServer and LAN.
Objects with instances are tables (`netprov.cwmp.objects`): a telephone has its lines (TR-104 1.0). Who but the ACS may change a parameter is kept,
and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from netprov.cwmp.objects import Member, Table, find_table
from netprov.cwmp.rpc import Attributes, DeviceId, Fault, NewAttributes, ParameterFault, ParameterValue

ROOT: Final = "Device."
URL: Final = "ManagementServer.URL"
PERIODIC: Final = "ManagementServer.PeriodicInformEnable"
INTERVAL: Final = "ManagementServer.PeriodicInformInterval"
PARAMETER_KEY: Final = "ManagementServer.ParameterKey"
PROVISIONING_CODE: Final = "DeviceInfo.ProvisioningCode"
MAC_ADDRESS: Final = "LAN.MACAddress"
REQUEST_URL: Final = "ManagementServer.ConnectionRequestURL"
REQUEST_USER: Final = "ManagementServer.ConnectionRequestUsername"
REQUEST_PASSWORD: Final = "ManagementServer.ConnectionRequestPassword"  # noqa: S105 - a name, no password
FORCED: Final = (
    "DeviceSummary",
    "DeviceInfo.HardwareVersion",
    "DeviceInfo.SoftwareVersion",
    PROVISIONING_CODE,
    REQUEST_URL,
    PARAMETER_KEY,
    "LAN.IPAddress",
    MAC_ADDRESS,
)
"""What every Inform carries (TR-106 section 3.3, "forced inform"), and the MAC address, by which we know a phone."""

LINE: Final = "Services.VoiceService.1.VoiceProfile.1.Line."
LINE_USER, LINE_NAME = "DirectoryNumber", "CallingFeatures.CallerIDName"
LINE_AUTH_USER, LINE_PASSWORD = "SIP.AuthUserName", "SIP.AuthPassword"
"""The lines of a telephone, and what of them is here (TR-104 1.0 table 3)."""

ACTIVE: Final = 2
"""The notification that opens a session at once."""

_RANGES: Final = {
    "xsd:int": (-(2**31), 2**31 - 1),
    "xsd:unsignedInt": (0, 2**32 - 1),
    "xsd:long": (-(2**63), 2**63 - 1),
    "xsd:unsignedLong": (0, 2**64 - 1),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; a `secret` one reads as empty (TR-069 "hidden")."""

    name: str
    value: str = ""
    type: str = "xsd:string"
    writable: bool = False
    secret: bool = False

    def shown(self) -> ParameterValue:
        """Return it as an ACS may see it."""
        return ParameterValue(self.name, "" if self.secret else self.value, self.type)


def lines(most: int) -> Table:
    """Return the object of a telephone that has so many lines at most."""
    plain = (Member(LINE_USER), Member(LINE_NAME), Member(LINE_AUTH_USER))
    members = (*plain, Member(LINE_PASSWORD, secret=True))
    return Table(ROOT + LINE, members, most)


def telephone(
    device: DeviceId,
    acs_url: str,
    *,
    mac: str = "",
    address: str = "",
    software: str = "",
    hardware: str = "1.0",
    inform_interval: int = 20,
) -> tuple[Parameter, ...]:
    """Return the parameters of a factory-fresh phone; it Informs every 20 seconds (guide, TR-069 settings)."""

    def string(name: str, value: str = "", *, writable: bool = False, secret: bool = False) -> Parameter:
        return Parameter(ROOT + name, value, writable=writable, secret=secret)

    return (
        string("DeviceSummary", "Device:1.1[](Baseline:1, LAN:1)"),
        string("DeviceInfo.Manufacturer", device.manufacturer),
        string("DeviceInfo.ManufacturerOUI", device.oui),
        string("DeviceInfo.ModelName", device.product_class),
        string("DeviceInfo.ProductClass", device.product_class),
        string("DeviceInfo.SerialNumber", device.serial),
        string("DeviceInfo.HardwareVersion", hardware),
        string("DeviceInfo.SoftwareVersion", software),
        string(PROVISIONING_CODE, writable=True),
        string(URL, acs_url, writable=True),
        string("ManagementServer.Username", writable=True),
        string("ManagementServer.Password", writable=True, secret=True),
        Parameter(ROOT + PERIODIC, "1", "xsd:boolean", writable=True),
        Parameter(ROOT + INTERVAL, str(inform_interval), "xsd:unsignedInt", writable=True),
        string(PARAMETER_KEY),
        string(REQUEST_URL),
        string(REQUEST_USER, writable=True),
        string(REQUEST_PASSWORD, writable=True, secret=True),
        string("LAN.IPAddress", address),
        string(MAC_ADDRESS, mac),
    )


class Parameters:
    """The parameters of one CPE."""

    def __init__(self, parameters: Iterable[Parameter], tables: Iterable[Table] = ()) -> None:
        self._all = {parameter.name: parameter for parameter in parameters}
        self._tables = tuple(tables)
        self._last: dict[str, int] = {}
        """The number of the instance that was made last, by its table's path."""
        self._attributes: dict[str, Attributes] = {}
        self._changed: dict[str, None] = {}

    def value(self, suffix: str) -> str:
        """Return the value of a parameter by its name below the root; "" if it does not exist."""
        found = self._all.get(ROOT + suffix)
        return found.value if found else ""

    def assign(self, suffix: str, value: str) -> None:
        """Set a value from inside, where writable does not matter."""
        name = ROOT + suffix
        self._all[name] = replace(self._all.get(name, Parameter(name)), value=value)

    def change(self, suffix: str, value: str) -> bool:
        """Set a value that somebody else than the ACS changed; tell whether the ACS wants to know at once."""
        if self.value(suffix) == value:
            return False
        self.assign(suffix, value)
        notification = self._attribute(ROOT + suffix).notification
        if notification:
            self._changed[ROOT + suffix] = None
        return notification == ACTIVE

    def add(self, name: str, parameter_key: str) -> int | Fault:
        """Make an instance of an object, and return its number (annex A.3.2.6)."""
        table = find_table(self._tables, name)
        if isinstance(table, Fault):
            return table
        number = table.next(table.instances(self._all), self._last.get(name, 0))
        if number is None:
            return Fault(9004)
        self._make(table, number)
        self._last[name] = number
        self.assign(PARAMETER_KEY, parameter_key)
        return number

    def remove(self, name: str, parameter_key: str) -> Fault | None:
        """Remove an instance, named by its path with its number (annex A.3.2.7)."""
        for table in self._tables:
            number = table.number(name)
            if number in table.instances(self._all) and name == table.prefix(number or 0):
                for kept in (self._all, self._attributes, self._changed):
                    for each in [each for each in kept if each.startswith(name)]:
                        del kept[each]
                self.assign(PARAMETER_KEY, parameter_key)
                return None
        return Fault(9005)

    def instances(self, suffix: str) -> list[int]:
        """Return the numbers of the instances of an object, by its path below the root."""
        table = find_table(self._tables, ROOT + suffix)
        return [] if isinstance(table, Fault) else table.instances(self._all)

    def ensure(self, suffix: str, number: int) -> None:
        """See to it that an instance is there that the phone has had itself."""
        table = find_table(self._tables, ROOT + suffix)
        if not isinstance(table, Fault) and number not in table.instances(self._all) and number <= table.most:
            self._make(table, number)

    def _make(self, table: Table, number: int) -> None:
        for member in table.members:
            name = table.prefix(number) + member.name
            self._all[name] = Parameter(name, writable=True, secret=member.secret)

    def kept(self) -> tuple[dict[str, str], dict[str, int]]:
        """Return what outlasts a restart: values that the ACS may have set, and how it wants to be told of changes."""
        values = {
            each.name: each.value
            for each in self._all.values()
            if each.writable or each.name == ROOT + PARAMETER_KEY
        }
        return values, {each.name: each.notification for each in self._attributes.values()}

    def take_up(self, values: Mapping[str, str], notifications: Mapping[str, int]) -> None:
        """Set what was kept, as far as there are such parameters."""
        for name, value in values.items():
            for table in self._tables:
                if number := table.number(name):
                    self.ensure(table.path.removeprefix(ROOT), number)
            if name in self._all:
                self._all[name] = replace(self._all[name], value=value)
        for name, notification in notifications.items():
            self.set_attributes((NewAttributes(name, notification, None),))

    @property
    def changed(self) -> bool:
        """Whether the ACS is still to be told of a change."""
        return bool(self._changed)

    def told(self) -> None:
        """Note that the ACS was told of every change."""
        self._changed.clear()

    def for_inform(self) -> tuple[ParameterValue, ...]:
        """Return what an Inform carries: always the forced ones, and what changed that the ACS wants to know of."""
        names = (*(ROOT + name for name in FORCED), *self._changed)
        return tuple(self._all[name].shown() for name in dict.fromkeys(names) if name in self._all)

    def get(self, names: Sequence[str]) -> tuple[ParameterValue, ...] | Fault:
        """Return values; a name that is empty or ends in a dot is everything under it (annex A.3.2.2)."""
        found: dict[str, ParameterValue] = {}
        for wanted in names:
            matching = self._matching(wanted)
            if not matching and isinstance(find_table(self._tables, wanted), Fault):
                return Fault(9005)
            found.update((each.name, each.shown()) for each in matching)
        return tuple(found.values())

    def names(self, path: str, *, next_level: bool) -> tuple[tuple[str, bool], ...] | Fault:
        """Return names with whether they can be set; objects end in a dot (annex A.3.2.3)."""
        if path and not path.endswith("."):
            if next_level:
                return Fault(9003)
            found = self._all.get(path)
            return ((path, found.writable),) if found else Fault(9005)
        entries: dict[str, bool] = {}
        for name in (*self._all, *(table.path for table in self._tables)):
            for end in (match.end() for match in re.finditer(r"\.", name)):
                entries.setdefault(name[:end], self._is_variable(name[:end]))
            if name in self._all:
                entries[name] = self._all[name].writable
        if path and path not in entries:
            return Fault(9005)
        return tuple(
            (name, writable)
            for name, writable in entries.items()
            if name.startswith(path) and (not next_level or _is_next_level(name, path))
        )

    def set(self, values: Sequence[ParameterValue], parameter_key: str) -> Fault | None:
        """Set all values or, with the fault returned, none (annex A.3.2.1)."""
        faults = [fault for value in values if (fault := self._refusal(value))]
        if len({value.name for value in values}) != len(values):
            return Fault(9003, "a parameter is named twice")
        if faults:
            return Fault(9003, parameters=tuple(faults))
        for value in values:
            self._all[value.name] = replace(self._all[value.name], value=value.value)
        self.assign(PARAMETER_KEY, parameter_key)
        return None

    def attributes(self, names: Sequence[str]) -> tuple[Attributes, ...] | Fault:
        """Return attributes, of what `get` would return the values of (annex A.3.2.5)."""
        values = self.get(names)
        return values if isinstance(values, Fault) else tuple(self._attribute(each.name) for each in values)

    def set_attributes(self, wanted: Sequence[NewAttributes]) -> Fault | None:
        """Set all attributes or, with the fault returned, none (annex A.3.2.4)."""
        fresh: dict[str, Attributes] = {}
        for each in wanted:
            matching = self._matching(each.name)
            if not matching:
                return Fault(9005)
            if each.notification is not None and each.notification not in {0, 1, ACTIVE}:
                return Fault(9003)
            for parameter in matching:
                now = fresh.get(parameter.name) or self._attribute(parameter.name)
                fresh[parameter.name] = Attributes(
                    parameter.name,
                    now.notification if each.notification is None else each.notification,
                    now.access if each.access is None else each.access,
                )
        self._attributes.update(fresh)
        return None

    def _is_variable(self, name: str) -> bool:
        """Say whether instances can be made of an object, or whether it is one that can be removed (annex A.3.2.3)."""
        return any(
            name == table.path or ((number := table.number(name)) and name == table.prefix(number))
            for table in self._tables
        )

    def _attribute(self, name: str) -> Attributes:
        return self._attributes.get(name) or Attributes(name)

    def _matching(self, wanted: str) -> list[Parameter]:
        """Return the parameter of that name, or everything under it if it is empty or ends in a dot."""
        if wanted and not wanted.endswith("."):
            return [self._all[wanted]] if wanted in self._all else []
        return [each for name, each in self._all.items() if name.startswith(wanted)]

    def _refusal(self, value: ParameterValue) -> ParameterFault | None:
        known = self._all.get(value.name)
        if known is None:
            return ParameterFault(value.name, 9005)
        if not known.writable:
            return ParameterFault(value.name, 9008)
        if value.type != known.type:
            return ParameterFault(value.name, 9006)
        return None if _is_legal(value) else ParameterFault(value.name, 9007)


def _is_next_level(name: str, path: str) -> bool:
    rest = name[len(path) :]
    return bool(rest) and "." not in rest[:-1]


def _is_legal(value: ParameterValue) -> bool:
    content = value.value.strip()
    if value.type == "xsd:boolean":
        return content in {"0", "1", "true", "false"}
    if value.type in _RANGES:
        low, high = _RANGES[value.type]
        return bool(re.fullmatch(r"[+-]?[0-9]{1,20}", content)) and low <= int(content) <= high
    return True
