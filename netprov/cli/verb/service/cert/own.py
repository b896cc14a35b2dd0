"""Certificates that come from, or go, elsewhere: `netprov cert csr`, `import`, `export`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding

from netprov.cli.verb.service.cert.desk import Desk, desk_options, open_desk, password, read, write_private
from netprov.errors import PkiError
from netprov.pki import bundle as bundles
from netprov.pki.bundle import Bundle
from netprov.pki.chain import Certificate, decode, is_certificate
from netprov.pki.issue import PrivateKey
from netprov.pki.request import KeyKind
from netprov.pki.verify import problems

_KINDS = ("rsa-2048", "ecdsa-p256")


@click.command("csr")
@click.argument("host", required=False)
@desk_options
@click.option("--key", "kind", type=click.Choice(_KINDS), default="rsa-2048", show_default=True)
@click.option("-o", "--out", metavar="FILE", help="Where to write it. Default: print it.")
def csr(host: str | None, *, file: str | None, state: str | None, kind: KeyKind, out: str | None) -> int:
    """Make a signing request for a HOST (default: this one), to be signed by a CA elsewhere.

    \b
    Examples:
      netprov cert csr > request.pem
      netprov cert import --chain signed.pem  the key waits here meanwhile
    """
    desk = open_desk(file, state)
    request = desk.pki.server(desk.absolute(host)) if host else desk.pki.servers[0]
    data = desk.store.request(request, kind)
    if out:
        Path(out).write_bytes(data)
    else:
        print(data.decode(), end="")
    return 0


@click.command("import")
@desk_options
@click.option("--chain", metavar="FILE", help="Your certificate and what issued it, PEM.")
@click.option("--key", metavar="FILE", help="Its private key. Default: the one that `netprov cert csr` made.")
@click.option("--pkcs12", metavar="FILE", help="Or all of it in one PKCS#12 file.")
@click.option("--ca", metavar="FILE", help="The root that phones need to trust it, PEM.")
@click.option("--host", metavar="HOST", help="Only for this host. Default: for every one.")
@click.option(
    "--password-file", metavar="FILE", help="Password of the key; also taken from $NETPROV_PASSWORD."
)
@click.option("--anyway", is_flag=True, help="Also if phones would refuse it.")
@click.option("--forget", is_flag=True, help="Instead: forget what was imported, and present our own again.")
def import_(
    *,
    file: str | None,
    state: str | None,
    chain: str | None,
    key: str | None,
    pkcs12: str | None,
    ca: str | None,
    host: str | None,
    password_file: str | None,
    anyway: bool,
    forget: bool,
) -> int:
    """Present your own certificate instead of one of the local CA; a running server takes it up at once.

    \b
    Examples:
      netprov cert import --chain fullchain.pem --key privkey.pem --ca root.pem
      netprov cert import --pkcs12 server.p12 --password-file secret
      netprov cert import --forget
    Exit code 1, and nothing imported, if a phone would refuse it.
    """
    desk = open_desk(file, state)
    if forget:
        for path in desk.store.drop_adopted():
            print(f"removed {path}")
        return 0
    own, roots = _own(desk, chain=chain, key=key, pkcs12=pkcs12, ca=ca, secret=password(password_file))
    request = desk.pki.server(desk.absolute(host)) if host else desk.pki.servers[0]
    found = problems(own.chain, request.domain, desk.now, roots or None, also=request.also, imported=True)
    for finding in found:
        print(finding)
    if any(each.severity == "error" for each in found) and not anyway:
        print("Nothing was imported; --anyway imports it all the same.")
        return 1
    path = desk.store.adopt(desk.pki, own, roots, desk.absolute(host) if host else None)
    print(f"imported to {path}: {', '.join(own.leaf.dns_names) or own.leaf.subject}")
    if not roots:
        print("Phones must know its root already; if they do not, import it with --ca FILE.")
    return 0


@click.command("export")
@click.argument("what")
@desk_options
@click.option("--key", "kind", type=click.Choice(_KINDS), default="rsa-2048", show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["pem", "der", "pkcs12"]), default="pem", show_default=True
)
@click.option("-o", "--out", metavar="FILE", help="Where to write it. Default for what is public: print it.")
@click.option(
    "--password-file", metavar="FILE", help="Encrypt the key with this password; or $NETPROV_PASSWORD."
)
def export(
    what: str,
    *,
    file: str | None,
    state: str | None,
    kind: KeyKind,
    form: str,
    out: str | None,
    password_file: str | None,
) -> int:
    """Write the CA's certificate (ca), the revocation list (crl), or a HOST's key and chain.

    \b
    Examples:
      netprov cert export ca                          PEM, the root first, for Custom_CA_Rule
      netprov cert export crl --format der -o crl.der
      netprov cert export pr2 -o pr2.pem              key and chain, for a server on another machine
      netprov cert export pr2 --format pkcs12 -o pr2.p12
    """
    desk = open_desk(file, state)
    if what in {"ca", "crl"}:
        return _write_public(_public(desk, what, form), out)
    own = _chain_of(desk, desk.absolute(what), kind)
    secret = password(password_file)
    match form:
        case "pkcs12":
            data = own.encode_pkcs12(what, secret)
        case "pem":
            data = bundles.key_pem(own.key, secret) + _pem(own.chain)
        case _:
            return _write_public(own.leaf.x509.public_bytes(Encoding.DER), out)
    if not out:
        raise PkiError("a private key is not printed", "name a file with -o")
    write_private(out, data)
    return 0


def _own(
    desk: Desk, *, chain: str | None, key: str | None, pkcs12: str | None, ca: str | None, secret: bytes
) -> tuple[Bundle, tuple[Certificate, ...]]:
    roots = decode(read(ca)) if ca else ()
    if pkcs12:
        return bundles.decode_pkcs12(read(pkcs12), secret), roots
    if not chain:
        raise PkiError("nothing to import", "give --chain FILE with --key FILE, or --pkcs12 FILE")
    certificates = _certificates(chain, secret)
    if key:
        return bundles.assemble(_key(key, secret), certificates), roots
    for waiting in desk.store.waiting_keys():
        try:
            return bundles.assemble(waiting, certificates), roots
        except PkiError:
            continue
    raise PkiError(
        "no key that waits in the store belongs to this certificate", "give its private key with --key FILE"
    )


def _certificates(name: str, secret: bytes) -> tuple[Certificate, ...]:
    data = read(name)
    try:
        return decode(data)
    except PkiError as error:
        if bundles.is_key(data, secret):
            raise PkiError(
                f"{name} is a private key, not a chain", "name it with --key, and the chain with --chain"
            ) from error
        raise PkiError(f"{name}: {error.message}", error.remedy) from error


def _key(name: str, secret: bytes) -> PrivateKey:
    data = read(name)
    try:
        return bundles.decode_key(data, secret)
    except PkiError as error:
        if not bundles.is_key(data, secret) and is_certificate(data):
            raise PkiError(
                f"{name} is a chain, not a private key", "name it with --chain, and the key with --key"
            ) from error
        raise PkiError(f"{name}: {error.message}", error.remedy) from error


def _chain_of(desk: Desk, host: str, kind: KeyKind) -> Bundle:
    family = kind.partition("-")[0].upper()
    for bundle in desk.store.chains(desk.pki.server(host).host):
        if bundle.leaf.key.startswith(family):
            return bundle
    raise PkiError(f"{host} has no chain with a key of kind {kind}", "see `netprov cert show`")


def _public(desk: Desk, what: str, form: str) -> bytes:
    match what, form:
        case "ca", "pem":
            return _pem(desk.store.anchors())
        case "ca", "der":
            return desk.store.anchors()[0].x509.public_bytes(Encoding.DER)
        case "crl", "pem":
            return b"".join(each.public_bytes(Encoding.PEM) for each in desk.store.revoked())
        case "crl", "der":
            return desk.store.revoked()[0].public_bytes(Encoding.DER)
        case _:
            raise PkiError("PKCS#12 is for a key with its chain", "choose pem or der")


def _write_public(data: bytes, out: str | None) -> int:
    if out:
        Path(out).write_bytes(data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


def _pem(certificates: tuple[Certificate, ...]) -> bytes:
    return "".join(certificate.pem() for certificate in certificates).encode()
