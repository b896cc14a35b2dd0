"""When each thing of a phone's life is due.

Cisco's guides, "Configurable Schedules" and table 2: after a success the next resync comes after `Resync_Periodic` and
up to `Resync_Random_Delay` more, or at `Resync_At`; after a failure (B or C alike) after `Resync_Error_Retry_Delay`, whose delays count the failures in a row. A
failed upgrade has its own timer, and so have reports and the Informs of TR-069.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.number import whole
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import delay, random_delay, until_time_of_day

SHORTEST_UPLOAD = 600
"""Seconds between periodic reports, at least (guide, `Periodic_Upload_To_Server`)."""

UPLOAD_DELAYS = range(10, 901)
"""Seconds from a local change to its report (guide, `Upload_Delay_On_Local_Change`)."""


@dataclass(slots=True)
class Tally:
    """What a life was so far."""

    resyncs: int = 0
    failures: int = 0
    row: int = 0
    """Failures since the last success."""
    periods: int = 0
    """Periodic resyncs since the parameter began to count."""
    upgrade_row: int = 0
    failed_rule: str | None = None
    """The `Upgrade_Rule` that failed last, None after a success."""


@dataclass(slots=True)
class Agenda:
    """When each thing is due, in the phone's time; None is never."""

    resync: float | None = None
    upgrade: float | None = None
    report: float | None = None
    inform: float | None = None

    def next(self) -> tuple[float, str] | None:
        """Return what is due first, and why; of two at once, in this order."""
        due = (
            (self.inform, "TR-069"),
            (self.report, "Report_To_Server"),
            (self.upgrade, "Upgrade_Error_Retry_Delay"),
            (self.resync, "resync"),
        )
        return min(
            ((when, why) for when, why in due if when is not None), default=None, key=lambda each: each[0]
        )


def next_resync(handset: Handset, tally: Tally) -> float | None:
    """Return the seconds to the next resync, None for never."""
    if tally.row:
        return delay(handset["Resync_Error_Retry_Delay"], tally.row - 1, handset.draw)
    at = until_time_of_day(
        handset["Resync_At__HHmm_"], handset["Resync_At_Random_Delay"], handset.now, handset.draw
    )
    if at is not None:
        return at
    period = delay(handset["Resync_Periodic"], tally.periods, handset.draw)
    # The chapter's category A names both values; another guide has the random part after power-up alone.
    return None if period is None else period + random_delay(handset["Resync_Random_Delay"], handset.draw)


def count(tally: Tally, *, fine: bool) -> None:
    """Count one resync."""
    tally.resyncs += 1
    if fine:
        tally.periods = 0 if tally.row else tally.periods + (tally.resyncs > 1)
        tally.row = 0
    else:
        tally.failures += 1
        tally.row += 1


def upload_period(handset: Handset) -> int:
    """Return the seconds between periodic reports."""
    return max(SHORTEST_UPLOAD, whole(handset["Periodic_Upload_To_Server"].strip()) or 0)


def upload_delay(handset: Handset) -> int:
    """Return the seconds from a local change to its report."""
    wanted = whole(handset["Upload_Delay_On_Local_Change"].strip())
    return min(max(wanted or 0, UPLOAD_DELAYS.start), UPLOAD_DELAYS.stop - 1)
