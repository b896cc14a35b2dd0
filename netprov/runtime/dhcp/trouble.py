"""What goes wrong for a while: told once when it begins, or changes, and once when it is over."""

from __future__ import annotations

from collections.abc import Callable

from netprov.runtime.role import Notice

STORE, PINS, FLOOD = "store", "pins", "flood"

_OVER = {
    STORE: "leases are written again",
    PINS: "the table of neighbours follows the leases again",
    FLOOD: "every client is answered again",
}


class Troubles:
    """The troubles of the DHCP service by their subject: one of those above, or an interface that answers do not leave on."""

    def __init__(self, report: Callable[[Notice], None]) -> None:
        self._report = report
        self._now: dict[str, str] = {}

    def get(self, subject: str) -> str:
        """Return what is wrong, "" if nothing is."""
        return self._now.get(subject, "")

    def tell(self, subject: str, text: str) -> None:
        """Report a trouble once, until it is over."""
        if self._now.get(subject) != text:
            self._now[subject] = text
            self._report(Notice(text, "error"))

    def over(self, subject: str) -> None:
        """Report that a trouble is over, if there was one."""
        if self._now and self._now.pop(subject, None) is not None:
            self._report(Notice(_OVER.get(subject) or f"answers leave on {subject} again"))
