"""The customization state: how far a phone from the box is on its way to its service provider.

Cisco's guide, "Remote Customization (RC) Distribution", as a table. The guide does not say what a profile found by DNS
SRV does; here it ends remote customization as one found by DHCP does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Customization(StrEnum):
    """What the phone shows under Status > Provisioning."""

    OPEN = "Open"
    PENDING = "Pending"
    CUSTOM_PENDING = "Custom Pending"
    ACQUIRED = "Acquired"
    ABORTED = "Aborted"
    UNAVAILABLE = "Unavailable"


class Turn(StrEnum):
    """What moves it."""

    NAMED = "DHCP names a server"
    LAN = "the LAN gave a profile"
    ASKED = "the redirector is asked"
    REDIRECTED = "the redirector named a server"
    UNKNOWN = "the redirector knows no provider"
    LOADED = "the provider's profile is loaded"
    BY_HAND = "provisioned on the phone or its web page"
    RESET = "factory reset"


S, T = Customization, Turn

MOVES: Mapping[tuple[Customization, Turn], Customization] = {
    (S.OPEN, T.NAMED): S.ABORTED,
    (S.OPEN, T.LAN): S.ABORTED,
    (S.OPEN, T.ASKED): S.PENDING,
    (S.PENDING, T.NAMED): S.ABORTED,
    (S.PENDING, T.LAN): S.ABORTED,
    (S.PENDING, T.ASKED): S.PENDING,
    (S.PENDING, T.REDIRECTED): S.CUSTOM_PENDING,
    (S.PENDING, T.UNKNOWN): S.UNAVAILABLE,
    (S.CUSTOM_PENDING, T.LOADED): S.ACQUIRED,
    (S.CUSTOM_PENDING, T.NAMED): S.ABORTED,
    (S.CUSTOM_PENDING, T.LAN): S.ABORTED,
    (S.CUSTOM_PENDING, T.ASKED): S.PENDING,
    (S.UNAVAILABLE, T.NAMED): S.ABORTED,
    (S.UNAVAILABLE, T.LAN): S.ABORTED,
    (S.UNAVAILABLE, T.ASKED): S.PENDING,
    **{(state, T.BY_HAND): S.ABORTED for state in S if state is not S.ACQUIRED},
    (S.ACQUIRED, T.BY_HAND): S.ACQUIRED,
    **{(state, T.RESET): S.OPEN for state in S},
}
"""Every move; any other turn leaves the state as it is: once provisioned, only a factory reset matters."""


def move(state: Customization, turn: Turn) -> Customization:
    """Return the state after a turn."""
    return MOVES.get((state, turn), state)
