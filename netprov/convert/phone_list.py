"""A list of phones as CSV, with headings as people write them, and what spreadsheets do to such files.

A line `sep=;` names the separator; lines above the headings are titles; a name like SEP001234AB45DE holds the MAC
address; `4.41E+11` is a number that a spreadsheet rewrote, whose digits are gone. The device exports of FusionPBX (a row for each
line) and wazo are such lists.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest

from netprov.convert.draft import Draft, Section
from netprov.mac import read_mac
from netprov.phone.handset.identity import MODELS

HEADINGS: Mapping[str, str] = {
    **dict.fromkeys(("mac", "macaddress", "ethernet", "hwaddress", "hardwareaddress", "macid"), "mac"),
    **dict.fromkeys(("deviceaddress", "devicemacaddress"), "mac"),
    **dict.fromkeys(
        ("model", "phonemodel", "type", "devicetype", "product", "productname", "devicemodel"), "model"
    ),
    **dict.fromkeys(("serial", "serialnumber", "sn", "deviceserialnumber"), "serial"),
    **dict.fromkeys(("vendor", "devicevendor", "brand", "manufacturer"), "vendor"),
    **dict.fromkeys(("enabled", "deviceenabled"), "enabled"),
    "linenumber": "line",
    **dict.fromkeys(("password", "devicepassword", "sippassword", "authpassword", "secret"), "secret"),
    "devicelabel": "values.Station_Display_Name",
    **dict.fromkeys(("authid", "authname"), "values.Auth_ID_1_"),
    **dict.fromkeys(("outboundproxy", "outboundproxyprimary"), "values.Outbound_Proxy_1_"),
    **dict.fromkeys(("name", "hostname", "devicename"), "name"),
    **dict.fromkeys(("ip", "ipaddress", "ipv4", "address", "fixedaddress", "ansiblehost"), "address"),
    **dict.fromkeys(("class", "group"), "class"),
    **dict.fromkeys(("network", "vlan", "subnet"), "network"),
    **dict.fromkeys(("profile", "template"), "profile"),
    **dict.fromkeys(("firmware", "version", "load", "devicefirmwareversion"), "firmware"),
    **dict.fromkeys(("displayname", "label", "user", "fullname"), "values.Display_Name_1_"),
    **dict.fromkeys(("extension", "userid", "line", "number", "dn", "phonenumber"), "values.User_ID_1_"),
    **dict.fromkeys(("proxy", "sipproxy", "registrar", "sipserver", "serveraddress"), "values.Proxy_1_"),
}
"""Headings and variable names, in lower case without blanks and signs, and the keys that they mean."""

_SEPARATORS = ",;\t|"
_MOST_TITLES = 20
"""Lines in which headings are looked for."""

_REWRITTEN = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+\Z")
_DEVICE = re.compile(r"(?:SEP|ATA|MAC)(?=\w{12}\Z)", re.IGNORECASE)
"""What stands before the MAC address in the names of devices."""


def read_csv(text: str, source: str) -> Draft:
    """Read a list of phones with a heading line."""
    draft = Draft(source)
    lines = text.removeprefix("\ufeff").splitlines()
    separator, first = _declared_separator(lines)
    heading = find_heading(lines)
    if heading is None:
        for number, line in enumerate(lines[first:], first + 1):
            if line.strip():
                draft.leave(
                    number, line, "there is no heading line that names a column of MAC addresses above it"
                )
        return draft
    separator = separator or max(_SEPARATORS, key=lines[heading].count)
    for number, line in enumerate(lines[first:heading], first + 1):
        if line.strip(separator + " "):
            draft.leave(number, line, "it is above the headings")
    headings = _cells(lines[heading], separator)
    keys = [key_of(each) for each in headings]
    for each, key in zip(headings, keys, strict=True):
        if not key and each.strip():
            draft.leave(heading + 1, each, "the column means nothing here")
    for number, row in _rows(lines[heading + 1 :], separator, heading + 1):
        _row(draft, number, keys, row, separator)
    return draft


def find_heading(lines: Sequence[str]) -> int | None:
    """Return the number, from 0, of the line that names a column of MAC addresses or of device names; None for none."""
    for wanted in ("mac", "name"):
        for number, line in enumerate(lines[:_MOST_TITLES]):
            for separator in _SEPARATORS:
                keys = [key_of(cell) for cell in _cells(line, separator)]
                if wanted not in keys:
                    continue
                if wanted == "mac" or _devices(lines[number + 1 :], separator, keys.index("name")):
                    return number
    return None


def _cells(line: str, separator: str) -> list[str]:
    return next((row for _, row in _rows([line], separator)), [])


def _devices(lines: Sequence[str], separator: str, column: int) -> bool:
    """Say whether the names of a column are those of devices."""
    rows = _rows(lines, separator)
    return any(len(row) > column and _is_device(row[column].strip()) for _, row in rows)


def _declared_separator(lines: Sequence[str]) -> tuple[str, int]:
    """Return the separator that a first line `sep=;` names, and how many lines that takes."""
    found = re.fullmatch(r'"?sep=(.)"?', lines[0].rstrip("\r\n")) if lines else None
    return (found[1], 1) if found else ("", 0)


def _rows(lines: Sequence[str], separator: str, offset: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of some lines, each with the number of its last line, as far as they can be read."""
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    with suppress(csv.Error):
        for row in rows:
            yield rows.line_num + offset, row


def _row(draft: Draft, line: int, keys: Sequence[str], row: Sequence[str], separator: str) -> None:
    cells: dict[str, str] = {}
    text = separator.join(
        "…" if key == "secret" and cell else cell for key, cell in zip_longest(keys, row, fillvalue="")
    )
    for key, cell in zip(keys, row, strict=False):
        value = cell.strip()
        if not key or not value:
            continue
        if key == "secret":
            draft.leave(
                line, "password", "passwords belong into the secrets file: a profile names them by secret(…)"
            )
        elif _REWRITTEN.match(value):
            draft.leave(line, value, f"a number that a spreadsheet rewrote: its digits are gone ({key})")
        elif key == "mac":
            mac, reason = mac_of(value)
            if reason:
                draft.leave(line, text, reason)
                return
            cells[key] = mac
        else:
            cells[key] = value
    if "mac" not in cells and _is_device(cells.get("name", "")):
        cells["mac"] = mac_of(cells.pop("name"))[0]
    reason = _not_served(cells)
    if reason:
        draft.leave(line, text, reason)
        return
    number = cells.pop("line", "")
    phone = phone_of(_of_line(cells, number or "1"))
    known = next((each for each in draft.phones if number and each["mac"] == phone.get("mac")), None)
    if known is not None:
        known.setdefault("values", {}).update(phone.get("values", {}))
    else:
        add_phone(draft, phone, line, text)


def _not_served(cells: dict[str, str]) -> str:
    """Return why a device is none that netprov serves, "" if it is; what says so is taken out of its cells."""
    vendor, enabled = cells.pop("vendor", ""), cells.pop("enabled", "true")
    if vendor and "cisco" not in vendor.lower():
        return f"a device of {vendor}: netprov provisions Cisco's phones"
    return "the device is not enabled" if enabled.lower() in {"false", "no", "0", "f"} else ""


def _of_line(cells: Mapping[str, str], number: str) -> dict[str, str]:
    """Return the cells with the parameters of a line under its number, and the model by its product name."""
    found = {
        key.replace("_1_", f"_{number}_") if key.startswith("values.") else key: each
        for key, each in cells.items()
    }
    if "model" in found:
        found["model"] = _model(found["model"])
    return found


def _model(text: str) -> str:
    """Return the product name of a model that is written as its number alone; anything else as it is."""
    digits = re.fullmatch(r"(?:cisco[ /_-]*)?(\d{4})[a-z]?", text, re.IGNORECASE)
    named = [each for each in MODELS if digits and digits[1] in each]
    return named[0] if len(named) == 1 else text


def _is_device(text: str) -> bool:
    return bool(_DEVICE.match(text) and read_mac(_DEVICE.sub("", text)))


def mac_of(text: str) -> tuple[str, str]:
    """Return a MAC address as an inventory keeps it, or why it is none."""
    found = read_mac(_DEVICE.sub("", text))
    if found:
        return found, ""
    if re.fullmatch(r"\d{6,11}", text):
        return "", "digits are missing from the MAC address: spreadsheets drop leading zeros"
    return "", f"{text} is not a MAC address"


def key_of(heading: str) -> str:
    """Return the key of a phone that a heading means, "" for none."""
    heading = heading.strip()
    if heading in HEADINGS.values() or heading.startswith(("values.", "options.")):
        return heading
    return HEADINGS.get(re.sub(r"[^a-z0-9]", "", heading.lower()), "")


def phone_of(cells: Mapping[str, str]) -> Section:
    """Return a phone of cells by key; `values.X` reaches into a mapping."""
    phone: Section = {}
    for key, value in cells.items():
        mapping, dot, inner = key.partition(".")
        if dot:
            phone.setdefault(mapping, {})[int(inner) if inner.isdecimal() and inner.isascii() else inner] = (
                value
            )
        else:
            phone[key] = value
    return phone


def add_phone(draft: Draft, phone: Section, line: int, text: str) -> None:
    """Add a phone, with the class that it names."""
    if "mac" in phone:
        draft.phones.append({"mac": phone.pop("mac"), **phone})
        if "class" in phone:
            draft.classes.setdefault(phone["class"], {})
    elif text.strip():
        draft.leave(line, text, "phones are known by their MAC address")
