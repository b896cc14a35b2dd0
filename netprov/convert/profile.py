"""A phone's profile (flat-profile XML, `cfg.xml`) as one of the inventory; passwords stay outside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from netprov.convert.draft import Draft, Section
from netprov.errors import Malformed
from netprov.provision.parameter.catalogue import find_parameter
from netprov.provision.profile import Parameter, parse_profile


def read_profile(text: str, source: str) -> Draft:
    """Read a profile; it is named by its file."""
    draft = Draft(source)
    try:
        parameters = parse_profile(text.encode())
    except Malformed as error:
        draft.leave(1, Path(source).name, str(error))
        return draft
    values: Section = {}
    for name, parameter in parameters.items():
        reason = _reason(name, parameter)
        if reason:
            draft.leave(_line(text, name), name, reason)
        elif parameter.value is not None or parameter.ua:
            values[name] = _written(parameter)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(source).stem).strip("-") or "profile"
    draft.profiles[name] = {"values": values}
    return draft


def _reason(name: str, parameter: Parameter) -> str:
    """Return why a parameter is not carried over, "" if it is; its value is never told."""
    value = parameter.value or ""
    known = find_parameter(name)
    if value and known is not None and known.secret:
        return f"a password: put it into the secrets file, and write {name}: '{{{{ secret(\"{name.lower()}\") }}}}'"
    if "{{" in value or "{%" in value:
        return "the inventory would take it for a template"
    return ""


def _written(parameter: Parameter) -> Any:
    if not parameter.ua:
        return parameter.value
    return {"ua": parameter.ua} | ({} if parameter.value is None else {"value": parameter.value})


def _line(text: str, name: str) -> int:
    found = re.search(rf"<{re.escape(name)}[\s/>]", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
