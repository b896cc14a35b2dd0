"""How the stories of phones are printed: the same for captures, records and inventories."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.cli.findings import as_data as finding
from netprov.cli.say import say
from netprov.explain.engine import Story
from netprov.explain.timeline import as_data, tell
from netprov.phone.action import Say, Step
from netprov.text import visible


def show(title: str, steps: Sequence[Step], story: Story, *, road: bool) -> None:
    """Print one phone's story; `road` also prints each step."""
    say(visible(title), bold=True)
    say(f"  road      {' -> '.join(story.road)}")
    if road:
        for step in steps:
            told = tell(step)
            mark = "·" if isinstance(step.action, Say) else ("+" if told.fine else "!")
            where = f"  [{step.evidence}]" if step.evidence else ""
            say(
                f"    {mark} {told.kind:5} {visible(told.asked)}{': ' if told.answered else ''}{visible(told.answered)}{where}"
            )
    if story.provisioned and story.hidden:
        say(f"  fine      it was sent a file that cannot be read here, from {story.url}", fg="green")
    elif story.provisioned:
        say(f"  fine      it has a profile, from {story.url}", fg="green")
    if story.cause:
        say(f"  cause     {story.cause.title} ({story.cause.id})", fg="red")
        _line("facts", story.detail)
        _line("evidence", story.evidence)
        _line("shows", story.shows)
        _line("retry", story.retry)
        _line("fix", story.cause.remedy)
    for note in story.notes:
        _line("beside", f"{note.message} ({note.rule})")


def as_story(identity: dict[str, object], steps: Sequence[Step], story: Story) -> dict[str, object]:
    """Return one phone's story as plain data."""
    return {
        **identity,
        "provisioned": story.provisioned,
        "hidden": story.hidden,
        "road": list(story.road),
        "url": story.url,
        "cause": finding(story.problem) if story.problem else None,
        "detail": story.detail,
        "evidence": story.evidence,
        "shows": story.shows,
        "retry": story.retry,
        "notes": [finding(each) for each in story.notes],
        "steps": [{**as_data(step), "evidence": step.evidence} for step in steps],
    }


def _line(name: str, text: str) -> None:
    if text:
        say(f"  {name:9} {text}")
