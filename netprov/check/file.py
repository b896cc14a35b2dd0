"""Rules about files: firmware that is named, directories that are served, paths that phones ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from posixpath import normpath

from netprov.check.rule import Finding, View, rule
from netprov.dhcp.option.provisioning import TEXT_CODES
from netprov.errors import Malformed, Path
from netprov.phone.rule.ladder import rungs
from netprov.phone.rule.url import Url, parse_url
from netprov.phone.rule.written import OPTION_66
from netprov.provision.config import FACTORY_PATH, LADDER
from netprov.provision.gate.tree import Owners
from netprov.provision.macro import device_macros, expand, patterns

_DEFAULT_PATHS = (*LADDER, "/$PN.xml")
"""What phones ask for without being told, and an alias of the first."""


def _upgrades(view: View) -> Iterator[tuple[Path, Url]]:
    for written in view.rules:
        for url in written.urls() if written.kind == "upgrade" else ():
            yield written.path, url


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
        if tree and names is not None and "$" not in inside and inside not in names and _ours(view, url.host):
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
        if _ours(view, url.host) and not _tree(view, url.path)[0]:
            yield Finding(path, f"nothing serves {url.path}: it is below no path of `files:`")


def _tree(view: View, path: str) -> tuple[str, str]:
    """Return the path of `files:` that a request falls below, and the rest of it."""
    for prefix in sorted(view.inventory.provisioning.files, key=len, reverse=True):
        root = f"/{prefix.strip('/')}/".replace("//", "/")
        if path.startswith(root):
            return prefix, path.removeprefix(root)
    return "", ""


_NOT_FOR_PHONES = ("/etc", "/root", "/proc", "/sys", "/dev", "/run", "/boot")
"""Directories that hold what no phone needs, as all do below them; others are refused as a whole."""
_TOO_MUCH = ("/", "/home", "/var", "/var/lib", "/usr", "/opt")


@rule(
    "directory-too-much",
    "error",
    why="Whoever asks is given every file below the directory that the server can read: passwords, keys, other people's files.",
    remedy="name a directory that holds nothing but files for phones",
)
def directory_too_much(view: View) -> Iterator[Finding]:
    for prefix, directory in view.inventory.provisioning.directories.items():
        whole = normpath(str(directory))
        parts = PurePosixPath(whole)
        if whole in _TOO_MUCH or any(parts.is_relative_to(each) for each in _NOT_FOR_PHONES):
            yield Finding(
                ("provisioning", "files", prefix), f"{prefix} serves {directory}, which is not for phones"
            )


_PROFILES = (".xml", ".cfg")
"""How files end that may be profiles."""


@rule(
    "demand-file",
    "warning",
    why=(
        "What a class demands holds for a phone's profile, and for files whose name tells a listed phone's MAC address or serial "
        "number. Whatever else is below `files:` is given to whoever asks, and these files may be profiles."
    ),
    remedy="give the directory to the phones of a class: `files: {/path: {directory: …, class: …}}`; or name the files by MAC address",
)
def demand_file(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    provision = view.plan.provision
    demanding = sorted(
        {
            each.class_name or "of no class"
            for each in provision.devices.values()
            if each.policy.sender != "anyone" or each.policy.hours is not None
        }
    )
    owners = Owners(provision.devices.values())
    for prefix, names in view.disk.trees.items() if demanding else ():
        if not names or not isinstance(view.inventory.provisioning.files[prefix], str):
            continue
        ours = sorted(each for each in names if each.lower().endswith(_PROFILES) and owners.of(each) is None)
        if ours:
            more = f" and {len(ours) - 1} more" if len(ours) > 1 else ""
            yield Finding(
                ("provisioning", "files", prefix),
                f"whoever asks is given {ours[0]}{more} below {prefix}, whatever phones have to show ({', '.join(demanding)})",
            )


@rule(
    "directory-missing",
    "error",
    why="Every file below the path is answered with an error.",
    remedy="make the directory, or correct its name",
)
def directory_missing(view: View) -> Iterator[Finding]:
    for prefix, names in view.disk.trees.items():
        if names is None:
            directory = view.inventory.provisioning.directories[prefix]
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
    """Yield the paths that redirects, options and rules name, macros unexpanded."""
    for redirect in view.inventory.provisioning.redirects.values():
        with suppress(Malformed):
            yield parse_url(redirect if isinstance(redirect, str) else redirect.to, OPTION_66).path
    for group in view.groups:
        for code in TEXT_CODES:
            for value in str(group.options.get(code, ("", ()))[0]).split(";"):
                with suppress(Malformed):
                    yield from (
                        url.path
                        for tail in _DEFAULT_PATHS
                        for url in rungs(value.strip(), FACTORY_PATH, tail)
                    )
    for written in view.rules:
        yield from (url.path for url in written.urls())
