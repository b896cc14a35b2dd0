"""A transaction of the ACS as its store keeps it, and without what is secret in it.

A call that waits is kept as it will be sent; once it has ended, and in what devices answer, passwords and keys are gone.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import Any, Final

from netprov.cwmp import codec, rpc
from netprov.cwmp.parameter import PARAMETER_KEY
from netprov.cwmp.transaction import Transaction
from netprov.provision.report import is_secret

HIDDEN: Final = "(hidden)"

MOST: Final = 2000
"""Parameters of an answer that are kept."""


def encode(asked: Transaction) -> str:
    """Return a transaction as text."""
    call = without_secrets(asked.call) if asked.ended else asked.call
    answer, cut = _shorten(without_secrets(asked.answer)) if asked.answer else (None, "")
    fields: dict[str, Any] = asdict(replace(asked, call=rpc.Reboot(), answer=None))
    fields["call"] = codec.encode(rpc.Message(call)).decode()
    fields["answer"] = codec.encode(rpc.Message(answer)).decode() if answer else ""
    fields["note"] = asked.note or cut
    return json.dumps(fields)


def decode(text: str) -> Transaction:
    """Read a transaction. Raises `Malformed` for what another version wrote and this one cannot read."""
    fields = json.loads(text)
    answer, window = fields.pop("answer"), fields.pop("window")
    fields["call"] = codec.decode(fields["call"].encode()).rpc
    return Transaction(
        **fields,
        answer=codec.decode(answer.encode()).rpc if answer else None,
        window=None if window is None else (window[0], window[1]),
    )


def without_secrets(call: rpc.Rpc) -> rpc.Rpc:
    """Return a call or an answer with every password and key hidden."""
    match call:
        case rpc.SetParameterValues(parameters) | rpc.GetParameterValuesResponse(parameters):
            return replace(call, parameters=tuple(map(hide, parameters)))
        case rpc.Download():
            url = re.sub(r"//[^/@]*@", f"//{HIDDEN}@", call.url)
            return replace(call, url=url, password=HIDDEN if call.password else "")
    return call


def hide(value: rpc.ParameterValue) -> rpc.ParameterValue:
    """Return a parameter with its value hidden if that is a password or a key."""
    told = value.name.endswith(PARAMETER_KEY)  # a mark of what was set, and no key
    secret = value.value and not told and is_secret(value.name.rpartition(".")[2])
    return replace(value, value=HIDDEN) if secret else value


def _shorten(answer: rpc.Rpc) -> tuple[rpc.Rpc, str]:
    """Return as much of an answer as is kept, and what is to be said of the rest."""
    match answer:
        case rpc.GetParameterValuesResponse(parameters) if len(parameters) > MOST:
            return replace(answer, parameters=parameters[:MOST]), _cut(len(parameters))
        case rpc.GetParameterNamesResponse(names) if len(names) > MOST:
            return replace(answer, names=names[:MOST]), _cut(len(names))
        case rpc.GetParameterAttributesResponse(attributes) if len(attributes) > MOST:
            return replace(answer, attributes=attributes[:MOST]), _cut(len(attributes))
    return answer, ""


def _cut(count: int) -> str:
    return f"the answer told of {count} parameters, the first {MOST} are kept"
