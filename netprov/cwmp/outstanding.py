"""What a phone has still to tell its ACS: why it opens a session, and how transfers ended (TR-069 section 3.7.1.5).

It outlasts sessions that fail and the power: what `kept` returns is plain data, which `take_up` reads back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from netprov.cwmp import rpc
from netprov.errors import Malformed


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transfer that is over and not yet reported: what was fetched, as what, and the report."""

    url: str
    file_type: str
    report: rpc.TransferComplete


class Outstanding:
    """The causes of the next session, and the reports that it will bring."""

    def __init__(self) -> None:
        self._causes: list[rpc.EventCode] = []
        self.outcomes: deque[Outcome] = deque()

    def __bool__(self) -> bool:
        return bool(self._causes or self.outcomes)

    def add(self, code: str, command_key: str = "") -> None:
        """Note a cause."""
        self._causes.append(rpc.EventCode(code, command_key))

    def codes(self, *, changed: bool) -> tuple[rpc.EventCode, ...]:
        """Return why a session is opened; a transfer is told until its report was taken."""
        causes = list(self._causes)
        if changed:
            causes.append(rpc.EventCode("4 VALUE CHANGE"))
        if self.outcomes:
            causes.append(rpc.EventCode("7 TRANSFER COMPLETE"))
            causes += [rpc.EventCode("M Download", each.report.command_key) for each in self.outcomes]
        return tuple(dict.fromkeys(causes))

    def informed(self) -> None:
        """Note that the ACS has taken the causes in."""
        self._causes.clear()

    def kept(self) -> dict[str, list[dict[str, str | int]]]:
        """Return what outlasts the power: of causes those of an ACS's own doing, which a start does not explain."""
        return {
            "causes": [
                {"code": each.code, "command_key": each.command_key}
                for each in self._causes
                if each.code.startswith("M ")
            ],
            "reports": [
                {
                    "url": each.url,
                    "file_type": each.file_type,
                    "command_key": each.report.command_key,
                    "fault_code": each.report.fault_code,
                    "fault_text": each.report.fault_text,
                    "start": each.report.start,
                    "complete": each.report.complete,
                }
                for each in self.outcomes
            ],
        }

    def take_up(self, causes: Iterable[object], reports: Iterable[object]) -> None:
        """Take up what was kept. Raises `Malformed`."""
        for cause in causes:
            match cause:
                case {"code": str(code), "command_key": str(key)}:
                    self.add(code, key)
                case _:
                    raise Malformed("not a cause of a session with an ACS")
        for report in reports:
            match report:
                case {
                    "url": str(url),
                    "file_type": str(kind),
                    "command_key": str(key),
                    "fault_code": int(fault),
                    "fault_text": str(text),
                    "start": str(start),
                    "complete": str(complete),
                }:
                    told = rpc.TransferComplete(key, fault, text, start, complete)
                    self.outcomes.append(Outcome(url, kind, told))
                case _:
                    raise Malformed("not a report of a transfer to an ACS")
