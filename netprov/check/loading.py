"""What can be wrong with the file itself, which loading finds before any rule looks; here are the reasons."""

from __future__ import annotations

from collections.abc import Mapping

FAULTS: Mapping[str, str] = {
    "unreadable": "The file is not there, or netprov's user may not read it.",
    "too-large": "Files over 64 MiB are refused unread, so that a wrong path cannot fill the memory.",
    "encoding": "YAML is UTF-8 here; editors on Windows may save another encoding.",
    "control-character": "Invisible characters get into files by copying; YAML does not allow them.",
    "yaml-syntax": "The text is not YAML at this place; what follows cannot be understood, and is not looked at.",
    "several-documents": "`---` begins a second document; an inventory is one.",
    "empty": "There is nothing in the file but comments.",
    "duplicate-key": "Of two equal keys only one could count, and nobody would see which.",
    "unknown-key": "A misspelt key would silently leave its default in force.",
    "missing-key": "Without this key the section says nothing.",
    "key": "The keys of this mapping are of another kind: names, or numbers of DHCP options.",
    "type": "Another kind of value is wanted here: text, a number, a list, a mapping.",
    "value": "The value is of the right kind, and still not one that can be meant.",
    "tag": "YAML tags (`!vault`, `!!timestamp`) have no meaning here.",
    "merge": "`<<` fills a mapping with the keys of another mapping, or of a list of them.",
    "alias": "`*name` repeats the value that was marked `&name` before it.",
    "alias-bomb": "Aliases of aliases grow without bounds; a small file could fill the memory.",
    "too-deep": "No inventory nests that deep; such a file is an attack or an accident.",
    "include": "A file under `include:` must be there, be named once, and be a mapping of sections.",
    "csv": "A CSV list of phones has a header line, and no line has more cells than it.",
    "master-file": "A DNS master file that the inventory names cannot be read.",
    "template-file": "A template file that a profile names cannot be read, or is one of two templates.",
    "ignore": "A comment that accepts findings names a rule that exists, gives a reason, and is needed.",
}
"""Every such fault by its id, and why it is one."""
