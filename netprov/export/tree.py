"""The tree of profiles as files: what the catalog answers, asked for every listed phone and a stranger, socket by socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netprov.export.written import Export
from netprov.hostport import Scheme
from netprov.mac import bare_mac
from netprov.plan.path import ServedPath, served_paths
from netprov.provision.answer import Content, Redirect, Refusal, Unasked
from netprov.provision.catalog import Catalog
from netprov.provision.config import FACTORY_PATH, SRV_MAC_PATH, Device, Listener, Provision
from netprov.provision.macro import device_macros, expand
from netprov.provision.requester import Requester

STRANGER = "stranger"
"""What the file for phones that are not listed is called, and the stem of it."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file of the tree: its name, what it is, and the Content-Encoding that goes with it."""

    name: str
    content: Content


def scheme_of(listener: Listener) -> Scheme:
    """Return the protocol of a socket that files are served at."""
    return {"http": "http", "https": "https"}.get(listener.scheme, "tftp")  # type: ignore[return-value]


def web_entries(
    provision: Provision, catalog: Catalog, listener: Listener, export: Export
) -> Iterator[TreeEntry]:
    """Yield the files of one socket: `named/MAC` by a path that names the phone, `known/MAC` by its address."""
    scheme = scheme_of(listener)
    for index, device in enumerate(provision.devices.values()):
        for folder, path, address in (
            ("named", SRV_MAC_PATH, ""),
            ("known", FACTORY_PATH, _address(provision, device)),
        ):
            if folder == "known" and not address:
                continue
            requester = Requester(scheme, address, listener.address, listener.port)
            answer = catalog.respond(expand(path, _macros(device)), requester)
            if isinstance(answer, Content) and answer.lock is None:
                yield TreeEntry(f"{folder}/{bare_mac(device.mac)}", answer)
            elif isinstance(answer, Content):
                why = "it is behind a password, and nginx has no Digest: write the password files yourself"
                export.leave(("phones", index), f"profile of {device.mac}", why)
            elif isinstance(answer, Refusal | Unasked):
                export.leave(("phones", index), f"profile of {device.mac}", answer.reason)
    requester = Requester(scheme, "", listener.address, listener.port)
    answer = catalog.respond(expand(FACTORY_PATH, {"PSN": "8851-3PCC"}), requester)
    if isinstance(answer, Content):
        yield TreeEntry(STRANGER, answer)


def _address(provision: Provision, device: Device) -> str:
    return next((address for address, mac in provision.addresses.items() if mac == device.mac), "")


def _macros(device: Device) -> dict[str, str]:
    model = device.model or "CP-8851-3PCC"
    macros = device_macros(device.mac, model=model, serial=device.serial, firmware=device.firmware)
    return {name: value for name, value in macros.items() if value}


def export_tftp(provision: Provision, catalog: Catalog) -> Export:
    """Return a directory for any TFTP server: every path of every phone as a file of that name."""
    export = Export()
    sockets = [each for each in provision.listeners if each.scheme == "tftp"]
    for path in served_paths(provision) if sockets else ():
        answers = [
            catalog.respond(path.path, Requester("tftp", "", each.address, each.port)) for each in sockets
        ]
        first = answers[0]
        if isinstance(first, Redirect):
            export.leave(("provisioning", "redirects"), f"redirect of {path.path}", "TFTP cannot say that")
        if isinstance(first, Refusal) and path.path in dict(provision.statuses):
            export.leave(
                ("provisioning", "statuses"), f"status of {path.path}", "a TFTP server has no such file"
            )
        if isinstance(first, Unasked):
            export.leave(("profiles",), f"profile at {path.path}", first.reason)
        if not isinstance(first, Content):
            continue
        export.octets[f"tftp{path.path}"] = first.body
        if any(isinstance(each, Content) and each.body != first.body for each in answers[1:]):
            _differs(export, path)
    if export.octets:
        export.leave(("provisioning",), "upper and lower case", "TFTP servers find names as they are written")
    return export


def _differs(export: Export, path: ServedPath) -> None:
    reason = "each of our sockets names itself in it; the file is the first one's"
    export.leave(("provisioning",), f"file {path.path}", reason)
