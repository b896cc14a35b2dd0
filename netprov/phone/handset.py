"""What an emulated phone remembers between its steps: parameters, lease, load, trust anchors and timers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from netprov.phone.action import Lease, Say
from netprov.phone.customization import Customization, Turn, move
from netprov.phone.identity import Identity
from netprov.phone.ladder import SrvOrder
from netprov.phone.settings import DEFAULTS
from netprov.phone.url import Url
from netprov.provision.macro import expand
from netprov.provision.profile import Layer


@dataclass(frozen=True, slots=True)
class Cloud:
    """Stand-ins for Cisco's cloud in a lab, as `host` or `host:port`; "" where there is none.

    `redirector` maps MAC and model to a provider's server (RC, EDOS), `activation` takes activation codes (GDS).
    """

    redirector: str = ""
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """Where the guide leaves a choice, and what a person at the phone would do.

    `fall_through`: go on to SRV after DHCP options that led to no profile; otherwise they end the search.
    `activation_code`: what is typed at the activation screen; 16 digits, or # and 3 to 16 digits.
    """

    srv_order: SrvOrder = "cisco"
    fall_through: bool = False
    cloud: Cloud = Cloud()
    activation_code: str = ""


@dataclass(slots=True)
class Handset:
    """One phone, powered up.

    `draw(n)` returns a random whole number below n. `now` is in seconds, set by whoever performs the actions.
    """

    identity: Identity
    draw: Callable[[int], int]
    habits: Habits = Habits()
    now: float = 0.0
    lease: Lease | None = None
    software: str = ""
    parameters: dict[str, str] = field(default_factory=lambda: dict(DEFAULTS))
    customization: Customization = Customization.OPEN
    custom_roots: tuple[str, ...] = ()
    provisioning_state: int = 0
    resynced: float | None = None
    upgraded: float | None = None
    upgrade_state: int = 1
    upgrade_error: str = ""
    upgrade_done: str = ""
    loaded_ca: str = ""
    found_by: str = ""
    last_error: str = ""

    def __post_init__(self) -> None:
        self.software = self.software or self.identity.software
        self.custom_roots = self.custom_roots or self.identity.custom_roots

    @property
    def anchors(self) -> tuple[str, ...]:
        """Every trust anchor, built in and installed."""
        return (*self.identity.factory_roots, *self.custom_roots)

    @property
    def dns(self) -> tuple[str, ...]:
        """The DNS servers that DHCP named."""
        return self.lease.dns if self.lease else ()

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name, "")

    def turn(self, turn: Turn) -> None:
        """Move the customization state."""
        self.customization = move(self.customization, turn)

    def apply(self, profile: Layer) -> tuple[str, ...]:
        """Take over a profile's values, and return the names of the parameters that changed."""
        changed = []
        for name, parameter in profile.items():
            value = None if parameter.value is None else parameter.value.strip()
            if value is not None and self.parameters.get(name) != value:
                self.parameters[name] = value
                changed.append(name)
        return tuple(changed)

    def assign(self, assignments: Iterable[tuple[str, str]]) -> None:
        """Carry out a rule's assignments."""
        self.parameters.update(assignments)

    def macros(self, url: Url | None = None, *, address: str = "", error: str = "") -> dict[str, str]:
        """Return every macro's value now; `url`, `address` and `error` are of the request that a log line is about."""
        identity = self.identity
        values = {
            "MA": identity.ma,
            "MAU": identity.ma.upper(),
            "MAC": identity.mac.lower(),
            "SN": identity.serial_number,
            "PN": identity.model.name,
            "PSN": identity.model.psn,
            "SWVER": self.software,
            "HWVER": identity.hardware,
            "IP": self.lease.address if self.lease else "",
            "EXTIP": "",
            "CCERT": "Installed" if identity.client_certificate else "Not Installed",
            "PRVST": str(self.provisioning_state),
            "PRVTMR": _elapsed(self.now, self.resynced),
            "UPGST": str(self.upgrade_state),
            "UPGTMR": _elapsed(self.now, self.upgraded),
            "UPGERR": self.upgrade_error,
            "UPGCOND": "0",
            "REGTMR1": "0",
            "REGTMR2": "0",
            "EMS": "",
            "MUID": "",
            "MPWD": "",
            "ERR": error,
            **{letter: self[f"GPP_{letter}"] for letter in "ABCDEFGHIJKLMNOP"},
            **{f"UID{line}": self[f"User_ID_{line}_"] for line in range(1, 5)},
        }
        if url is not None:
            values |= {"SCHEME": url.scheme, "SERV": url.host, "SERVIP": address or url.host}
            values |= {"PORT": str(url.port), "PATH": url.path}
        return values

    def expand(self, text: str) -> str:
        """Expand the macros that may stand in a rule; $SA to $SD stay for options."""
        return expand(text, self.macros()) if "$" in text else text

    def expand_secret(self, text: str) -> str:
        """Expand $SA to $SD, which only the arguments of options may hold."""
        return expand(text, {f"S{letter}": self[f"GPP_S{letter}"] for letter in "ABCD"})

    def log(self, parameter: str, url: Url | None = None, *, address: str = "", error: str = "") -> Say:
        """Return the syslog line that a Log_ parameter describes."""
        text = expand(self[parameter], self.macros(url, address=address, error=error))
        return Say(text, self["Syslog_Server"], failure="Failure" in parameter)


def _elapsed(now: float, since: float | None) -> str:
    return "0" if since is None else str(int(now - since))
