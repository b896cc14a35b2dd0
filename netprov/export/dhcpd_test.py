"""Conditions on clients as ISC dhcpd writes them (dhcp-eval(5)); its regular expressions say what patterns say."""

from __future__ import annotations

import re

from netprov.dhcp.match import Condition

TRUE, FALSE = '("a" = "a")', '("a" = "b")'
_VENDOR = "vendor-class-identifier"


def test_of(condition: Condition, network: str) -> str:
    """Return a condition as it is on one network; raise `ValueError` with the reason for one that dhcpd cannot put."""
    if condition.requests:
        raise ValueError("dhcpd cannot ask what a client asks for")
    parts = [
        [_matches(_VENDOR, _expression(each)) for each in condition.vendor_class],
        [_matches(_VENDOR, _literal(each)) for each in condition.vendor_class_contains],
        [_matches("host-name", _expression(each), any_case=True) for each in condition.host_name],
        [_user_class(each) for each in condition.user_class],
        [f"(substring(hardware, 1, {len(each)}) = {each.hex(':')})" for each in condition.mac],
        [_identifier("agent.circuit-id", each) for each in condition.circuit_id],
        [_identifier("agent.remote-id", each) for each in condition.remote_id],
        [TRUE if each == network else FALSE for each in condition.network],
        [test_of(each, network) for each in condition.any],
        *([test_of(each, network)] for each in condition.all),
    ]
    if condition.negated is not None:
        inner = test_of(condition.negated, network)
        parts.append([{TRUE: FALSE, FALSE: TRUE}.get(inner, f"(not {inner})")])
    groups = [_settled(part, TRUE, FALSE, "or") for part in parts if part]
    return _settled(groups, FALSE, TRUE, "and") if groups else FALSE


def _settled(parts: list[str], decides: str, idle: str, word: str) -> str:
    """Return parts joined without those that change nothing; one that decides by itself stands for all."""
    if decides in parts:
        return decides
    kept = [each for each in parts if each != idle]
    return _joined(kept, word) if kept else idle


def _joined(parts: list[str], word: str) -> str:
    """Return parts joined, each pair in brackets: dhcpd's `and` and `or` bind alike."""
    joined = parts[0]
    for each in parts[1:]:
        joined = f"({joined} {word} {each})"
    return joined


def prefixed(texts: tuple[str, ...], contained: str) -> str:
    """Return the test that the vendor class begins with one of some texts, or holds another."""
    tests = [_matches(_VENDOR, f"^{_literal(each)}") for each in texts]
    return _joined([*tests, _matches(_VENDOR, _literal(contained))], "or")


def quoted(text: str) -> str:
    """Return a text as dhcpd takes it, with what it could mistake in octal."""
    return (
        '"'
        + re.sub(r"[^ !#-\[\]-~]", lambda found: "".join(f"\\{each:03o}" for each in found[0].encode()), text)
        + '"'
    )


def _matches(field: str, expression: str, *, any_case: bool = False) -> str:
    return f"({_of(field)} {'~~' if any_case else '~='} {quoted(expression)})"


def _of(field: str) -> str:
    """Return an option that a client may not have sent: without a value, or with an empty one, `not` is false too."""
    return f'pick-first-value(option {field}, " ")'


def _literal(text: str) -> str:
    """Return an extended regular expression for a text: what means something stands in brackets."""
    return "".join(
        f"[{sign}]" if sign in ".*?+|(){}$[" else "\\" + sign if sign in "^\\" else sign for sign in text
    )


def _expression(pattern: str) -> str:
    """Return an extended regular expression for a pattern of fnmatch."""
    text, rest = "", pattern
    while rest:
        sign, rest = rest[0], rest[1:]
        if sign == "[" and "]" in rest[1:]:
            inside, _, rest = rest.partition("]") if rest[0] not in "]!" else _set(rest)
            text += f"[^{inside[1:]}]" if inside[:1] == "!" else f"[{inside}]"
        else:
            text += {"*": ".*", "?": "."}.get(sign, _literal(sign))
    return f"^{text}$"


def _set(rest: str) -> tuple[str, str, str]:
    """Return what stands in a set that begins with ! or ], and what follows it."""
    end = rest.index("]", 2 if rest[0] == "!" and len(rest) > 2 else 1)
    return rest[:end], "]", rest[end + 1 :]


def _user_class(text: str) -> str:
    data = text.encode()
    bare, counted = (f"({_of('user-class')} = {each.hex(':')})" for each in (data, bytes([len(data)]) + data))
    return f"({bare} or {counted})"


def _identifier(field: str, pattern: str) -> str:
    if pattern.startswith("0x"):
        return f"({_of(field)} = {bytes.fromhex(pattern[2:]).hex(':')})"
    return _matches(field, _expression(pattern))
