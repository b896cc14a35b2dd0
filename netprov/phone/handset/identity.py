"""Who an emulated phone is: its model, its addresses and serials, its firmware, and what it calls itself.

Names follow Cisco's provisioning guide for multiplatform phones: $PN is the product name on the box, $PSN the same
without its "CP-", as files of deployed servers are called; the User-Agent is the guide's example with other values.
Not published, hence ours: option 55 of these phones, and every name of the 9800 series.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from netprov.dhcp.client import DEFAULT_REQUEST_LIST
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.errors import Malformed
from netprov.mac import bare_mac
from netprov.provision.firmware import firmware_version, format_load, load_version
from netprov.provision.macro import series_name

_TLS_1_3 = frozenset({"CP-7832-3PCC", "CP-8832-3PCC"})
_TLS_1_3_SINCE = (12, 0, 7, 300)
"""12.0(7)SR3, whose loads are called 12-0-7MPP0301 (release notes)."""

_TR_069_OFF_SINCE = (11, 3)
"""Quirk: `Enable_TR-069` is No by default from here on (administration guide), Yes before (release notes, CSCvo62040)."""


@dataclass(frozen=True, slots=True)
class Model:
    """One product: its name, and the family that its firmware files are named by."""

    name: str
    family: str
    series: str

    @property
    def psn(self) -> str:
        """$PSN, the name of the factory profile: 8851-3PCC for CP-8851-3PCC."""
        return series_name(self.name)


def _models(series: str, family: str, *names: str) -> dict[str, Model]:
    return {name: Model(name, family, series) for name in names}


MODELS: Mapping[str, Model] = {
    **_models("6800", "sip68xx", *(f"CP-{n}-3PCC" for n in ("6821", "6841", "6851", "6861", "6871"))),
    **_models("7800", "sip78xx", *(f"CP-{n}-3PCC" for n in ("7811", "7821", "7841", "7861"))),
    **_models("7800", "sip7832", "CP-7832-3PCC"),
    **_models("8800", "sip88xx", *(f"CP-{n}-3PCC" for n in ("8811", "8841", "8851", "8861"))),
    **_models("8800", "sip8845_65", "CP-8845-3PCC", "CP-8865-3PCC"),
    **_models("8800", "sip8832", "CP-8832-3PCC"),
    # Quirk: the product names of the 9800 series start with DP-; their file names are not in any guide we have.
    **_models("9800", "sip98xx", *(f"DP-{n}" for n in ("9841", "9851", "9861", "9871"))),
}
"""The catalogue, by product name."""


def model_named(text: str) -> Model:
    """Return the model of a product name as people write it (`8851`, `cp-8851-3pcc`), known or not.

    A name that the catalogue does not know becomes a model of its own, so that a newer phone can be emulated.
    """
    wanted = text.strip().upper()
    for name in (wanted, f"CP-{wanted}", f"CP-{wanted}-3PCC", f"{wanted}-3PCC", f"DP-{wanted}"):
        if name in MODELS:
            return MODELS[name]
    digits = re.search(r"\d{2}", wanted)
    return Model(wanted, f"sip{digits[0]}xx" if digits else "sip", "")


@dataclass(frozen=True, slots=True)
class Identity:
    """One phone as it leaves the factory, or as its owner staged it.

    `factory_roots` and `custom_roots` are trust anchors in PEM: the ones built in (in a lab, a stand-in for Cisco's),
    and the ones that an owner installed. Without any, no server's certificate is accepted.
    """

    mac: str
    model: Model
    serial: str = ""
    firmware: str = "11.3.1"
    hardware: str = "V01"
    tr069: bool = False
    vendor_class: str = ""
    user_agent: str = ""
    requested: tuple[int, ...] = DEFAULT_REQUEST_LIST
    factory_roots: tuple[str, ...] = ()
    custom_roots: tuple[str, ...] = ()
    client_certificate: str = ""
    client_key: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    """What was set on it before, by name: over the factory's values."""

    @property
    def ma(self) -> str:
        """$MA: the MAC address in lower case without separators."""
        return bare_mac(self.mac)

    @property
    def serial_number(self) -> str:
        """$SN; a serial number of Cisco's shape made from the MAC where none is given."""
        return self.serial or f"FCH{self.ma[-8:].upper()}"

    @property
    def software(self) -> str:
        """$SWVER: the name of the running load, `sip88xx.11-3-1MPP`."""
        return load_name(self.model, self.firmware)

    @property
    def managed(self) -> bool:
        """Whether TR-069 is on when it is plugged in: switched on before, or by its firmware's default."""
        found = firmware_version(self.firmware)
        return self.tr069 or (found is not None and found < _TR_069_OFF_SINCE)

    @property
    def option_60(self) -> str:
        """The vendor class identifier of a phone that is plugged in; with TR-069 on it also contains `dslforum.org`."""
        return self.vendor_class_with(tr069=self.managed)

    def vendor_class_with(self, *, tr069: bool) -> str:
        """Return the vendor class identifier with TR-069 on or off."""
        return self.vendor_class or (f"{self.model.name} {ACS_MARK}" if tr069 else self.model.name)


def load_name(model: Model, firmware: str) -> str:
    """Return the load's name for a firmware given as `11.3.1`, `12.0(7)SR3`, or as a load's name already."""
    return format_load(model.family, firmware)


def speaks_tls13(model: Model, software: str) -> bool:
    """Tell whether a load speaks TLS 1.3: of two models only, the others stop at 1.2."""
    try:
        return model.name in _TLS_1_3 and load_version(software) >= _TLS_1_3_SINCE
    except Malformed:
        return False
