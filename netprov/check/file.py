"""Rules about files: firmware that is named, directories that are served, paths that phones ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from netprov.check.rule import Finding, View, rule
from netprov.errors import Path
from netprov.provision.config import LADDER
from netprov.provision.macro import device_macros, expand, patterns

_OPTIONS = re.compile(r"\[[^\]]*\]")
_URL = re.compile(r"(?:tftp|https?)://[^\s\"'|;]+")
_DEFAULT_PATHS = (*LADDER, "/$PN.xml")
"""What phones ask for without being told, and an alias of the first."""


def _upgrades(view: View) -> Iterator[tuple[Path, SplitResult]]:
    for path, key, text in view.directives:
        for url in _URL.findall(_OPTIONS.sub("", text)) if key == "Upgrade_Rule" else ():
            try:
                yield path, urlsplit(url)
            except ValueError:
                continue


def _ours(view: View, host: str) -> bool:
    name = host.lower().rstrip(".")
    return name in view.domains or name in view.names or name in {str(each) for each in view.own_addresses}


@rule(
    "firmware-absent",
    "error",
    why="The phone asks for the file named in Upgrade_Rule, gets an error, and asks again every hour.",
    remedy="put the file there, or correct its name",
)
def firmware_absent(view: View) -> Iterator[Finding]:
    for path, url in _upgrades(view):
        tree, inside = _tree(view, url.path)
        names = view.disk.trees.get(tree)
        if (
            tree
            and names is not None
            and "$" not in inside
            and inside not in names
            and _ours(view, url.hostname or "")
        ):
            yield Finding(
                path, f"there is no {inside} in the directory of {tree}", (("provisioning", "files", tree),)
            )


@rule(
    "firmware-not-served",
    "error",
    why="The phone asks this server for firmware under a path that it does not serve.",
    remedy="add the path and its directory to `files:` under `provisioning:`",
)
def firmware_not_served(view: View) -> Iterator[Finding]:
    for path, url in _upgrades(view):
        if _ours(view, url.hostname or "") and not _tree(view, url.path)[0]:
            yield Finding(path, f"nothing serves {url.path}: it is below no path of `files:`")


def _tree(view: View, path: str) -> tuple[str, str]:
    """Return the path of `files:` that a request falls below, and the rest of it."""
    for prefix in view.inventory.provisioning.files:
        root = "/" + prefix.strip("/") + "/"
        if path.startswith(root):
            return prefix, path.removeprefix(root)
    return "", ""


@rule(
    "directory-missing",
    "error",
    why="Every file below the path is answered with an error.",
    remedy="make the directory, or correct its name",
)
def directory_missing(view: View) -> Iterator[Finding]:
    for prefix, names in view.disk.trees.items():
        if names is None:
            directory = view.inventory.provisioning.files[prefix]
            yield Finding(("provisioning", "files", prefix), f"the directory {directory} is not there")


@rule(
    "path-unasked",
    "warning",
    why=(
        "Phones ask for /$PSN.xml and /Cisco/$PN/$MA.cfg, and for what options and rules name; a file under any other path "
        "is never fetched."
    ),
    remedy="correct the macros of the path, or name it in an option or rule",
)
def path_unasked(view: View) -> Iterator[Finding]:
    provisioning = view.inventory.provisioning
    written: list[tuple[str, Path]] = [
        *((each, ("provisioning", "paths", index)) for index, each in enumerate(provisioning.paths)),
        *((each, ("provisioning", "redirects", each)) for each in provisioning.redirects),
        *((each, ("provisioning", "statuses", each)) for each in provisioning.statuses),
    ]
    if not written or not view.site.phones:
        return
    asked = _asked(view)
    for template, path in written:
        (pattern,) = patterns(["/" + template.strip("/")])
        if all(pattern.match(each) is None for each in asked):
            yield Finding(path, f"no phone of this inventory asks for {template}")


def _asked(view: View) -> set[str]:
    """Return every path that a listed phone would ask for, by its model, its options and its profile's rules."""
    templates = {*_DEFAULT_PATHS, *_told(view)}
    found: set[str] = set()
    for phone in view.site.phones:
        declared = phone.declared
        macros = device_macros(
            declared.mac,
            model=declared.model or "",
            serial=declared.serial or "",
            firmware=declared.firmware or "",
        )
        found |= {expand(template, macros).lower() for template in templates}
    return found


def _told(view: View) -> Iterator[str]:
    for redirect in view.inventory.provisioning.redirects.values():
        yield from _paths(redirect if isinstance(redirect, str) else redirect.to)
    for group in view.groups:
        for code in (66, 159, 160):
            text = group.options.get(code, ("", ()))[0]
            yield from _paths(str(text))
    for _, values in view.values:
        for key, text in values.items():
            if key.startswith(("Profile_Rule", "Upgrade_Rule", "Custom_CA_Rule")):
                yield from _paths(text)


def _paths(text: str) -> Iterator[str]:
    for part in re.split(r"[|;]", _OPTIONS.sub("", text)):
        url = part.rpartition("? ")[2].strip()
        path = (
            url
            if url.startswith("/")
            else "/" + url.partition("://")[2].partition("/")[2]
            if "://" in url
            else ""
        )
        if path:
            yield path
            yield from (f"{path.rstrip('/')}{tail}" for tail in _DEFAULT_PATHS)
