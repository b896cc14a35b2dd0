"""What a phone remembers of the ACS that manages it: the client, and what it last had the phone load."""

from __future__ import annotations

from dataclasses import dataclass, field

from netprov.cwmp.action import Restart
from netprov.cwmp.cpe import Cpe
from netprov.phone.rule.url import Url


@dataclass(slots=True)
class Management:
    """A phone's client of one ACS; `booted` once the ACS was told, or is about to be, that the phone has started.

    `profile` is the configuration that the ACS had the phone load last, `changed` what it changed; `restart` is set where
    the phone is to restart, `port` is where it takes connection requests.
    """

    cpe: Cpe
    url: str
    port: int
    booted: bool = False
    profile: Url | None = None
    changed: tuple[str, ...] = ()
    restart: Restart | None = None
    told: dict[str, str] = field(default_factory=dict)
    """Values of the phone as its client knows them: what is another value there, the ACS has set."""

    def power_off(self) -> None:
        """Note that the phone has no power, and is to say so when it has started."""
        self.cpe.interrupt()
        self.booted, self.restart = False, None
