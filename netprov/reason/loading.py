"""What can be wrong with the file itself, which loading finds before any rule looks; here are the reasons."""

from __future__ import annotations

from netprov.errors import Reason


def _fault(fault: str, why: str, remedy: str) -> Reason:
    return Reason(fault, "error", why, remedy)


LOADING: tuple[Reason, ...] = (
    _fault(
        "no-inventory",
        "Without an inventory there is nothing to check and nothing to serve.",
        "name one with -f FILE or $NETPROV_FILE",
    ),
    _fault(
        "unreadable",
        "The file is not there, or netprov's user may not read it.",
        "correct the name, or let netprov's user read it",
    ),
    _fault(
        "too-large",
        "Files over 64 MiB are refused unread, so that a wrong path cannot fill the memory.",
        "name the right file, or divide it by `include:`",
    ),
    _fault(
        "no-phone-list",
        "`netprov phones add` writes into a CSV file that the inventory names; a list in YAML is written by hand, with its "
        "comments.",
        "write `phones: {csv: phones.csv}`, or let `netprov phones add --create` do it",
    ),
    _fault(
        "encoding",
        "YAML is UTF-8 here; editors on Windows may save another encoding.",
        "save it as UTF-8",
    ),
    _fault(
        "control-character",
        "Invisible characters get into files by copying; YAML does not allow them.",
        "delete the character",
    ),
    _fault(
        "yaml-syntax",
        "The text is not YAML at this place; what follows cannot be understood, and is not looked at.",
        "correct this place; what begins with *, &, {, [, % or @ wants quotes",
    ),
    _fault("several-documents", "`---` begins a second document; an inventory is one.", "delete the `---`"),
    _fault("empty", "There is nothing in the file but comments.", "two lines are enough to begin with"),
    _fault(
        "duplicate-key",
        "Of two equal keys only one could count, and nobody would see which.",
        "delete one of the two",
    ),
    _fault(
        "unknown-key",
        "A misspelt key would silently leave its default in force.",
        "correct its spelling; `netprov schema` has every key",
    ),
    _fault("missing-key", "Without this key the section says nothing.", "add the key"),
    _fault(
        "key",
        "The keys of this mapping are of another kind: names, or numbers of DHCP options.",
        "write a key of the right kind",
    ),
    _fault(
        "type",
        "Another kind of value is wanted here: text, a number, a list, a mapping.",
        "write a value of that kind",
    ),
    _fault("value", "The value is of the right kind, and still not one that can be meant.", "correct it"),
    _fault("tag", "YAML tags (`!vault`, `!!timestamp`) have no meaning here.", "delete the tag"),
    _fault(
        "merge",
        "`<<` fills a mapping with the keys of another mapping, or of a list of them.",
        "give `<<` a mapping, or a list of them",
    ),
    _fault(
        "alias",
        "`*name` repeats the value that was marked `&name` before it.",
        "mark the value with `&name` before it is repeated",
    ),
    _fault(
        "alias-bomb",
        "Aliases of aliases grow without bounds; a small file could fill the memory.",
        "write out what the aliases stand for",
    ),
    _fault(
        "too-deep", "No inventory nests that deep; such a file is an attack or an accident.", "flatten it"
    ),
    _fault(
        "include",
        "A file under `include:` must be there, be named once, and be a mapping of sections.",
        "correct the name, or the file",
    ),
    _fault(
        "csv",
        "A CSV list of phones has a header line, and no line has more cells than it.",
        "correct the line",
    ),
    _fault("kea", "The file is no configuration of Kea.", "test it with `kea-dhcp4 -t`"),
    _fault(
        "template-file",
        "A template file that a profile names cannot be read, or is one of two templates.",
        "correct the name, or leave one of the two",
    ),
    _fault(
        "ignore",
        "A comment that accepts findings names a rule that exists, gives a reason, and is needed.",
        "correct the comment, or delete it",
    ),
    _fault(
        "state-moved",
        "Running services keep the state directory that they were started with: their leases, keys and records are there.",
        "name the same directory, or start the services again",
    ),
    _fault(
        "secrets",
        "A secrets file has one secret a line, its name and its text; what is not of this form is no secret.",
        "correct the line of the secrets file",
    ),
)
"""Every such fault."""
