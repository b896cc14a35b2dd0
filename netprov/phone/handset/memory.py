"""What an emulated phone remembers between its steps: parameters, lease, load, trust anchors and timers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from netprov.dhcp.option.table import PROXY_DISCOVERY
from netprov.dns.order import SrvOrder
from netprov.phone.action import Lease, Say
from netprov.phone.handset.customization import Customization, Turn, move
from netprov.phone.handset.history import History
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.management import Management
from netprov.phone.handset.settings import DEFAULTS, is_yes
from netprov.phone.rule.url import Url
from netprov.provision.config import IkmEncoding
from netprov.provision.crypto import decode_ikm
from netprov.provision.firmware import short_version
from netprov.provision.macro import expand
from netprov.provision.profile import Layer


@dataclass(frozen=True, slots=True)
class Cloud:
    """Stand-ins for Cisco's cloud in a lab, as `host` or `host:port`; "" where there is none.

    `redirector` maps MAC and model to a provider's server (RC, EDOS), `activation` takes activation codes (GDS), `devices`
    knows phones by their MAC alone (EDOS device activation).
    """

    redirector: str = ""
    activation: str = ""
    devices: str = ""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Where the guide leaves a choice, and what a person at the phone would do.

    `fall_through`: go on to SRV after DHCP options that led to no profile, which then leave the customization state
    alone (a Small Business article of Cisco's); otherwise they end the search, and the state is Aborted as soon as DHCP
    names a server (the guide).
    `profile_rule`: what somebody enters on the phone or its web page once it is up, "" for nothing.
    `activation_code`: what is typed at the activation screen; 16 digits, or # and 3 to 16 digits.
    `ikm`: whether IKM_HTTP_Encrypt_Content is keying material as it stands, or base64url of it; no guide says.
    """

    srv_order: SrvOrder = "cisco"
    fall_through: bool = False
    cloud: Cloud = Cloud()
    activation_code: str = ""
    profile_rule: str = ""
    ikm: IkmEncoding = "raw"


@dataclass(slots=True)
class Handset:
    """One phone, powered up.

    `draw(n)` returns a random whole number below n. `now` is in seconds, set by whoever performs the actions.
    """

    identity: Identity
    draw: Callable[[int], int]
    behaviour: Behaviour = Behaviour()
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
    awaits_code: bool = False
    typed: bool = False
    """Whether the rule of its behaviour was entered."""
    notice: str = ""
    """What the activation screen says beside its question."""
    calls: int = 0
    pac: tuple[str, str] | None = None
    """The PAC file that it has fetched: from which URL, and the program."""
    history: History = field(default_factory=History)
    management: Management | None = None
    """Its client of TR-069, once it has one."""
    lives: bool = False
    """Whether it restarts where it is told to; a phone that only boots goes on."""

    def __post_init__(self) -> None:
        self.software = self.software or self.identity.software
        self.custom_roots = self.custom_roots or self.identity.custom_roots
        if self.identity.managed:
            self.parameters["Enable_TR-069"] = "Yes"
        self.parameters.update(self.identity.parameters)

    def power_off(self) -> None:
        """Forget what is not written down in the phone."""
        self.lease, self.calls, self.awaits_code, self.pac = None, 0, False, None
        self.provisioning_state, self.last_error = 0, ""
        if self.management:
            self.management.power_off()

    def reset(self) -> None:
        """Forget everything but the load and what the factory gave (factory reset)."""
        identity = replace(self.identity, custom_roots=(), parameters=())
        fresh = Handset(
            identity,
            self.draw,
            self.behaviour,
            self.now,
            software=self.software,
            typed=True,
            lives=self.lives,
        )
        for each in fields(fresh):
            setattr(self, each.name, getattr(fresh, each.name))

    @property
    def agent(self) -> str:
        """The User-Agent of its requests: what HTTP_User_Agent_Name says."""
        version = f"Cisco-{self.identity.model.name}/{short_version(self.software)}"
        template = self["HTTP_User_Agent_Name"].replace("$VERSION", version)  # known in this parameter alone
        return self.identity.user_agent or self.expand(template)

    @property
    def option_60(self) -> str:
        """The vendor class identifier, with TR-069 as it is set now."""
        return self.identity.vendor_class_with(tr069=is_yes(self["Enable_TR-069"]))

    @property
    def requested(self) -> tuple[int, ...]:
        """Option 55, with what WPAD wants to know where that is on."""
        wanted = self.identity.requested
        more = (PROXY_DISCOVERY,) if discovers(self) and PROXY_DISCOVERY not in wanted else ()
        return (*wanted, *more)

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

    @property
    def ikm(self) -> bytes:
        """The keying material of RFC 8188, b"" without any; raises `Malformed`."""
        return decode_ikm(self["IKM_HTTP_Encrypt_Content"], self.behaviour.ikm)

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

    def macros(self, url: Url | None = None, *, address: str = "", error: str = "") -> Mapping[str, str]:
        """Return every macro's value now; `url`, `address` and `error` are of the request that a log line is about."""
        return _Macros(self, url, address, error)

    def expand(self, text: str) -> str:
        """Expand the macros that may stand in a rule; $SA to $SD stay for options."""
        return expand(text, self.macros()) if "$" in text else text

    def expand_secret(self, text: str) -> str:
        """Expand $SA to $SD, which only the arguments of options may hold."""
        return expand(text, {macro: self[name] for macro, name in _SECRETS.items()})

    def log(self, parameter: str, url: Url | None = None, *, address: str = "", error: str = "") -> Say:
        """Return the syslog line that a Log_ parameter describes."""
        text = expand(self[parameter], self.macros(url, address=address, error=error))
        return Say(text, self["Syslog_Server"], failure="Failure" in parameter)


def discovers(handset: Handset) -> bool:
    """Tell whether a phone looks for its PAC file by WPAD."""
    return handset["Proxy_Mode"].strip().lower() == "auto" and is_yes(handset["Use_Auto_Discovery__WPAD_"])


class _Macros(Mapping[str, str]):
    """Macros whose values are worked out when they are asked for: a log line uses six of sixty."""

    __slots__ = ("_about",)

    def __init__(self, handset: Handset, url: Url | None, address: str, error: str) -> None:
        self._about = handset, url, address, error

    def __getitem__(self, name: str) -> str:
        handset, url, address, error = self._about
        if name in _OF_REQUEST and url is None:
            raise KeyError(name)
        match name:
            case "SERVIP" if url is not None:
                return address or url.host
            case "ERR":
                return error
        if url is not None and name in _OF_REQUEST:
            return _OF_REQUEST[name](url)
        return _VALUES[name](handset)

    def __iter__(self) -> Iterator[str]:
        _, url, _, _ = self._about
        yield from _VALUES
        yield "ERR"
        if url is not None:
            yield from _OF_REQUEST

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _parameter(name: str) -> Callable[[Handset], str]:
    return lambda handset: handset[name]


_OF_REQUEST: Mapping[str, Callable[[Url], str]] = {
    "SCHEME": lambda url: url.scheme,
    "SERV": lambda url: url.host,
    "SERVIP": lambda url: url.host,
    "PORT": lambda url: str(url.port),
    "PATH": lambda url: url.path,
}
"""Macros that only a log line knows: of the request that it is about."""

_PARAMETERS: Mapping[str, str] = {
    **{letter: f"GPP_{letter}" for letter in "ABCDEFGHIJKLMNOP"},
    **{f"UID{line}": f"User_ID_{line}_" for line in range(1, 17)},
}
_SECRETS: Mapping[str, str] = {f"S{letter}": f"GPP_S{letter}" for letter in "ABCD"}
"""Macros that stand for a parameter; the secret ones inside the arguments of options alone."""


def parameter_of(macro: str) -> str:
    """Return the parameter that a macro stands for, "" for none."""
    return _PARAMETERS.get(macro, "") or _SECRETS.get(macro, "")


_VALUES: Mapping[str, Callable[[Handset], str]] = {
    "MA": lambda handset: handset.identity.ma,
    "MAU": lambda handset: handset.identity.ma.upper(),
    "MAC": lambda handset: handset.identity.mac.lower(),
    "SN": lambda handset: handset.identity.serial_number,
    "PN": lambda handset: handset.identity.model.name,
    "PSN": lambda handset: handset.identity.model.psn,
    "SWVER": lambda handset: handset.software,
    "HWVER": lambda handset: handset.identity.hardware,
    "IP": lambda handset: handset.lease.address if handset.lease else "",
    "CCERT": lambda handset: "Installed" if handset.identity.client_certificate else "Not Installed",
    "PRVST": lambda handset: str(handset.provisioning_state),
    "PRVTMR": lambda handset: _elapsed(handset.now, handset.resynced),
    "UPGST": lambda handset: str(handset.upgrade_state),
    "UPGTMR": lambda handset: _elapsed(handset.now, handset.upgraded),
    "UPGERR": lambda handset: handset.upgrade_error,
    **dict.fromkeys(("UPGCOND", "REGTMR1", "REGTMR2"), lambda _handset: "0"),
    **dict.fromkeys(("EXTIP", "EMS", "MUID", "MPWD"), lambda _handset: ""),
    **{macro: _parameter(name) for macro, name in _PARAMETERS.items()},
}
"""Every other macro (guide, "Macro Expansion Variables")."""


def _elapsed(now: float, since: float | None) -> str:
    return "0" if since is None else str(int(now - since))
