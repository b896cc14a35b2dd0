"""Why a phone refuses a rule: a kind that programs go by, and words for people."""

from __future__ import annotations

from enum import StrEnum

from netprov.errors import Malformed
from netprov.phone.rule.conceal import conceal


class Fault(StrEnum):
    """The kinds of reasons."""

    SYNTAX = "syntax"
    CONDITION = "condition"
    OPTION = "option"
    SRV_SCHEME = "srv-scheme"
    SCHEME = "scheme"
    SERVER = "server"
    URL = "url"


class RuleRefused(Malformed):
    """A rule, or the alternative of it that is taken, that a phone refuses; its words go to screens and syslog servers, and quote no secret."""

    def __init__(self, fault: Fault, message: str) -> None:
        self.fault = fault
        super().__init__(conceal(message))
