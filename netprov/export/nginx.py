"""nginx.conf from a plan, with the tree of profiles: who asks is found out by maps, what he gets is a file.

Each socket has its own files, for profiles name the server that they were asked of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from netprov.export.tree import STRANGER, TreeEntry, web_entries
from netprov.export.written import Export, Placed
from netprov.mac import DIGITS, bare_mac
from netprov.plan import Plan
from netprov.provision.answer import PROFILE_TYPE
from netprov.provision.catalog import Catalog
from netprov.provision.config import ALIASES, CA_PATH, LADDER, Listener, Provision
from netprov.provision.macro import NAMES, PathPattern, names_in, patterns

FILE = "nginx/nginx.conf"
_IN_PATHS = ("MA", "MAU", "MAC")
_DOLLAR = "${netprov_dollar}"
_MACRO = re.compile(r"\$\(?([A-Z]+)\)?")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the certificates of this machine are: chains with their keys, the authority, its revocation list."""

    chains: tuple[str, ...] = ()
    ca: str = ""
    crl: str = ""


def export_nginx(plan: Plan, place: Placed, catalog: Catalog, certificates: Certificates) -> Export:
    """Return the configuration, and the files of every socket."""
    export = Export()
    provision = plan.provision
    servers: list[str] = []
    types: dict[str, str] = {}
    codings: dict[str, str] = {}
    for listener in provision.listeners:
        if listener.is_datagram:
            continue
        folder = f"files/{listener.scheme}-{listener.address}-{listener.port}"
        for entry in web_entries(provision, catalog, listener, export):
            export.octets[f"nginx/{folder}/{entry.name}"] = entry.content.body
            _describe(entry, types, codings)
        servers += _server(plan, listener, folder, certificates)
    _left(plan, export)
    lines = [
        f"# Made by `netprov export nginx` from {place(('domain',))}. Test it with: nginx -t -p . -c {FILE.rpartition('/')[2]}",
        "events {}",
        "http {",
        *(f"  {line}" for line in _maps(plan, types, codings)),
        *(f"  {line}" for line in servers),
        "}",
    ]
    export.files[FILE] = "\n".join(lines) + "\n"
    return export


def _describe(entry: TreeEntry, types: dict[str, str], codings: dict[str, str]) -> None:
    if entry.content.content_type != PROFILE_TYPE:
        types[entry.name] = entry.content.content_type
    if entry.content.coding:
        codings[entry.name] = entry.content.coding


def _left(plan: Plan, export: Export) -> None:
    """Note what nginx does not do, of what the inventory asks for."""
    export.leave(
        ("provisioning",),
        "addresses of leases",
        "nginx knows the phones by path, certificate and fixed address",
    )
    for name, each in plan.site.inventory.classes.items():
        if each.tls_min is not None:
            reason = "nginx has one oldest TLS for all that ask at a socket: the oldest of all classes"
            export.leave(("classes", name, "tls_min"), f"tls_min {each.tls_min}", reason)
    for path, class_name in plan.provision.tree_classes.items():
        reason = "nginx knows no classes: whoever asks would be given them"
        export.leave(("provisioning", "files", path), f"files of class {class_name}", reason)
    if plan.provision.reports:
        export.leave(("provisioning", "reports"), "reports", "nginx does not keep what phones put")
    for path, (target, _) in plan.provision.redirects.items():
        if names_in(target) - names_in(path):
            export.leave(
                ("provisioning", "redirects", path),
                target,
                "macros that the path does not name are left to the phone",
            )


def _maps(plan: Plan, types: Mapping[str, str], codings: Mapping[str, str]) -> Iterator[str]:
    """Yield what finds out who asks: by path, by certificate, by address; and which file that is."""
    provision = plan.provision
    yield 'geo $netprov_dollar { default "$"; }'
    expressions = list(_expressions(provision))
    yield from _map("$uri", "$netprov_profile", [(f"~*{each}", "1") for each, _ in expressions])
    yield from _map(
        "$uri", "$netprov_named", [(f"~*{each}", f"${name}") for each, name in expressions if name]
    )
    notations = [(text, bare_mac(mac)) for mac in provision.devices for text in (bare_mac(mac), mac)]
    yield from _map("$netprov_named", "$netprov_by_path", notations)
    addresses = [(address, bare_mac(mac)) for address, mac in provision.addresses.items()]
    yield from _map("$remote_addr", "$netprov_by_address", addresses)
    subject = f"~*^SUCCESS:(?:.*,)?ST=(?<netprov_mac>{DIGITS})(?:,|$)"
    yield from _map(
        '"$ssl_client_verify:$ssl_client_s_dn"', "$netprov_certificate", [(subject, "$netprov_mac")]
    )
    # Of a listed phone that the path names; of one that is known by certificate or address; of a stranger.
    yield from _map(
        '"$netprov_profile:$netprov_named:$netprov_by_path:$netprov_certificate:$netprov_by_address"',
        "$netprov_file",
        [
            (f"~*^1:[^/]+:(?<netprov_a>{DIGITS}):", "named/$netprov_a"),
            ("~^1:[^:]", STRANGER),
            (f"~*^1:::(?<netprov_b>{DIGITS}):", "known/$netprov_b"),
            (f"~*^1::::(?<netprov_c>{DIGITS})$", "known/$netprov_c"),
            ("~^1:", STRANGER),
        ],
    )
    yield from _map("$netprov_file", "$netprov_type", list(types.items()), PROFILE_TYPE)
    yield from _map("$netprov_file", "$netprov_coding", list(codings.items()))


def _map(source: str, target: str, entries: Sequence[tuple[str, str]], default: str = "") -> Iterator[str]:
    yield f"map {source} {target} {{"
    yield f'  default "{default}";'
    yield from (f'  "{key}" "{value}";' for key, value in entries)
    yield "}"


def _expressions(provision: Provision) -> Iterator[tuple[str, str]]:
    """Yield the regular expression of every path of profiles, and the macro in it that names a phone."""
    bases = "|".join(re.escape(each.lower()) for each in provision.bases)
    for each in patterns((*LADDER, *ALIASES, *provision.paths)):
        name = next((name for name in _IN_PATHS if f"<{name}>" in each.expression), "")
        yield f"^(?:{bases}){each.expression}$", name
    for path in sorted(provision.literals):
        yield f"^{re.escape(path.lower())}$", ""


def _server(plan: Plan, listener: Listener, folder: str, certificates: Certificates) -> Iterator[str]:
    provision = plan.provision
    tls = listener.scheme == "https"
    yield f"server {{ # {listener.scheme}://{listener.name}:{listener.port}"
    yield f"  listen {listener.address}:{listener.port}{' ssl' if tls else ''};"
    if tls:
        yield from (f"  {line}" for line in _tls(plan, certificates))
    yield f"  root {folder};"
    for path, status in provision.statuses:
        yield f'  location ~* "^{PathPattern(path).expression}$" {{ return {status}; }}'
    for path, (target, status) in provision.redirects.items():
        pattern = PathPattern(path)
        yield f'  location ~* "^{pattern.expression}$" {{ return {status} "{_target(target, pattern)}"; }}'
    if certificates.ca:
        yield f"  location = {CA_PATH} {{ default_type application/x-pem-file; alias {certificates.ca}; }}"
    for prefix, directory in provision.trees:
        if prefix in provision.tree_classes:
            continue
        root, place = prefix.rstrip("/"), PurePosixPath(directory)
        yield f"  location {root}/ {{ alias {directory.rstrip('/')}/; }}"
        for path, bound in provision.trees:
            if path in provision.tree_classes and PurePosixPath(bound).is_relative_to(place):
                yield f"  location {root}/{PurePosixPath(bound).relative_to(place)}/ {{ return 403; }}"
    yield "  location / {"
    yield '    if ($netprov_file = "") { return 404; }'
    yield '    types {} default_type "";'
    yield "    add_header Content-Type $netprov_type;"
    yield "    add_header Content-Encoding $netprov_coding;"
    yield "    try_files /$netprov_file =404;"
    yield "  }"
    yield "}"


def _tls(plan: Plan, certificates: Certificates) -> Iterator[str]:
    for chain in certificates.chains:
        yield f"ssl_certificate {chain};"
        yield f"ssl_certificate_key {chain};"
    oldest = min((plan.pki.tls_min, *plan.pki.class_tls))
    names = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2", "1.3": "TLSv1.3"}
    yield f"ssl_protocols {' '.join(name for version, name in names.items() if version >= oldest)};"
    if oldest < "1.2":
        yield "ssl_ciphers DEFAULT:@SECLEVEL=0;"
    if plan.pki.clients.ask != "off":
        yield f"ssl_verify_client {'on' if plan.pki.clients.ask == 'required' else 'optional'};"
        yield f"ssl_client_certificate {certificates.ca};"
        yield "ssl_verify_depth 3;"
        if not plan.pki.clients.roots and certificates.crl:
            yield f"ssl_crl {certificates.crl};"


def _target(target: str, pattern: PathPattern) -> str:
    """Return where a redirect leads, with the macros that the path names as variables, and the others as they are."""

    def variable(found: re.Match[str]) -> str:
        name = next((found[1][:size] for size in range(len(found[1]), 0, -1) if found[1][:size] in NAMES), "")
        if name and f"<{name}>" in pattern.expression:
            return f"${{{name}}}{found[1][len(name) :]}"
        return found[0].replace("$", _DOLLAR)

    return _MACRO.sub(variable, target)
