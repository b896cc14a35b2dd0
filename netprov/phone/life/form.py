"""The form of a phone's web page: every parameter that it acts on, and what is submitted.

Cisco's guides: "Voice > Provisioning", "Voice > Phone", "Submit All Changes". The fields' names on a real phone's pages are not
published; here they are the parameters' own. What a phone hides is not shown, and stays where its field is left empty.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

from netprov.errors import Malformed
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import DEFAULTS
from netprov.phone.life.input import FormSubmitted
from netprov.phone.rule.conceal import conceal, is_hidden

PATH = "/admin/advanced"

LONGEST = 1 << 16
"""Octets of what is submitted: every parameter twice over."""


def form(handset: Handset) -> str:
    """Return the page with the form."""
    rows = "\n".join(_row(handset, name) for name in DEFAULTS)
    return (
        f"<!DOCTYPE html>\n<html lang=en><head><title>{escape(handset.identity.model.name)}</title></head><body>\n"
        f'<form method=post action="{PATH}">\n<table>\n{rows}\n</table>\n'
        "<button>Submit All Changes</button>\n</form>\n</body></html>"
    )


def read_form(handset: Handset, body: str) -> FormSubmitted:
    """Return what a submitted form changes. Raises `Malformed` for what is no form of this phone."""
    try:
        fields = parse_qsl(
            body, keep_blank_values=True, strict_parsing=bool(body), max_num_fields=2 * len(DEFAULTS)
        )
    except ValueError:
        raise Malformed("not a form of this phone") from None
    unknown = next((name for name, _ in fields if name not in DEFAULTS), None)
    if unknown is not None:
        raise Malformed(f"no field {unknown[:60]!r}")
    return FormSubmitted(
        tuple((name, value.strip()) for name, value in fields if _is_new(handset, name, value.strip()))
    )


def _is_new(handset: Handset, name: str, value: str) -> bool:
    """Say whether a field was changed: it shows a rule without its keys, and nothing of what is hidden."""
    shown = "" if is_hidden(name) else conceal(handset[name])
    return value not in {shown, handset[name]}


def _row(handset: Handset, name: str) -> str:
    hidden = is_hidden(name)
    value = "" if hidden else conceal(handset[name])
    kind = "password" if hidden else "text"
    return (
        f'<tr><td><label for="{name}">{name}</label></td>'
        f'<td><input id="{name}" name="{name}" type={kind} value="{escape(value)}"></td></tr>'
    )
