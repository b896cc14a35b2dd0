"""`netprov profile`: show a phone's profile; encrypt, decrypt and examine profiles as phones and openssl do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from netprov.check.lint import Subject
from netprov.check.lint import lint as check_profile
from netprov.cli import findings
from netprov.cli.site import inventory_option, open_plan
from netprov.cli.sourced import plain_with_sources
from netprov.cli.verb.answer.files import address_of
from netprov.cli.word import Words
from netprov.errors import InventoryError, Malformed, PkiError
from netprov.explain.who import UNKNOWN_PHONE, names_of
from netprov.hostport import PORTS, Scheme
from netprov.plan import Plan
from netprov.provision.config import Device, Digest, IkmEncoding
from netprov.provision.crypto import (
    RECORD_SALT_SIZE,
    SALT_SIZE,
    Opened,
    decode_ikm,
    decrypt_gcm,
    digest_of,
    encrypt_cbc,
    encrypt_gcm,
    looks_like_cbc,
    open_cbc,
)
from netprov.provision.profile import MAX_PROFILE, compress, decompress
from netprov.provision.requester import Requester
from netprov.state.catalog import peek_catalog

_CODINGS = ("aes-256-cbc", "aes128gcm")


@click.group(cls=Words)
def command() -> None:
    """Show a phone's profile; encrypt, decrypt and examine profiles as phones and openssl do.

    \b
    Examples:
      netprov profile render desk1                               what it gets, in the clear
      netprov profile key desk1                                  the key for its rule: [--key …]
      netprov profile encrypt cfg.xml --key-from env:KEY -o cfg.enc
      netprov profile decrypt cfg.enc --phone desk1
      openssl enc -d -aes-256-cbc -md sha256 -in cfg.enc         the same, with openssl
      netprov profile lint cfg.xml --model 7841                  what a phone would ignore or refuse
    """


@command.command()
@click.argument("phone")
@inventory_option
@click.option("--over", type=click.Choice(["https", "http", "tftp"]), default="https", show_default=True)
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
def render(phone: str, file: str | None, over: Scheme, state: str | None) -> None:
    """Print the profile that PHONE, a MAC address or a name, gets, before it is encrypted.

    Sources of its values (`sources:`) are asked as the server asks them, and what they gave is told on standard error.
    """
    plan = open_plan(file).plan
    device = _device(plan, phone)
    listener = next((each for each in plan.provision.listeners if each.scheme == over), None)
    server, port = (listener.address, listener.port) if listener else ("", PORTS[over])
    requester = Requester(over, address_of(plan, device), server, port, link_mac=lambda: device.mac)
    catalog = peek_catalog(plan.provision, _state(plan, state))
    click.echo(plain_with_sources(plan, catalog, device, requester).decode(), nl=False)


@command.command()
@click.argument("phone")
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--password", is_flag=True, help="Its password on the server (auth:) instead.")
@click.option("--report", is_flag=True, help="The key of its encrypted reports, for Report_Rule, instead.")
def key(phone: str, file: str | None, state: str | None, *, password: bool, report: bool) -> None:
    """Print the key of PHONE's encrypted profile, for `--key` in its rule or IKM_HTTP_Encrypt_Content."""
    plan = open_plan(file).plan
    device = _device(plan, phone)
    secrets = peek_catalog(plan.provision, _state(plan, state)).secrets
    found = secrets.profile_key(device.mac)
    if password or report:
        found = secrets.password(device.mac) if password else secrets.report_key(device.mac)
    if found is None:
        raise PkiError(
            f"there is no secret for {phone}: no line of its own in the secrets file, and none named `site`; "
            "`netprov serve` makes the file at its first start"
        )
    click.echo(found)


def _crypto_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("-o", "--output", type=click.File("wb"), default="-", help="Default: standard output."),
        click.option("--state", metavar="DIR", help="State directory. Default: the inventory's."),
        click.option("--ikm", type=click.Choice(["raw", "b64url"]), default="raw", show_default=True),
        click.option(
            "--digest", type=click.Choice(["auto", "md5", "sha256"]), default="auto", show_default=True
        ),
        click.option("--phone", metavar="PHONE", help="Use this phone's key."),
        click.option("--key-from", metavar="env:NAME|file:PATH", help="Where the key is, if not a phone's."),
        inventory_option,
        click.argument("source", type=click.File("rb"), default="-"),
    ):
        function = option(function)
    return function


@command.command()
@_crypto_options
@click.option("--method", type=click.Choice(_CODINGS), default=_CODINGS[0], show_default=True)
@click.option("--gzip", is_flag=True, help="Compress first.")
def encrypt(
    *,
    source: BinaryIO,
    file: str | None,
    key_from: str | None,
    phone: str | None,
    digest: str,
    ikm: str,
    state: str | None,
    output: BinaryIO,
    method: str,
    gzip: bool,
) -> None:
    """Encrypt a file as `openssl enc` does, or as the body of content coding aes128gcm (RFC 8188)."""
    secret, firmware = _secret(file, key_from, phone, state)
    data = source.read()
    if gzip:
        data = compress(data)
    if method == "aes-256-cbc":
        data = encrypt_cbc(data, secret, salt=os.urandom(SALT_SIZE), digest=_digest(digest, firmware))
    else:
        data = encrypt_gcm(data, decode_ikm(secret, _ikm(ikm)), salt=os.urandom(RECORD_SALT_SIZE))
    output.write(data)


@command.command()
@_crypto_options
def decrypt(
    *,
    source: BinaryIO,
    file: str | None,
    key_from: str | None,
    phone: str | None,
    digest: str,
    ikm: str,
    state: str | None,
    output: BinaryIO,
) -> int:
    """Decrypt what `encrypt`, openssl or a phone's report made; what is compressed inside is decompressed."""
    secret, firmware = _secret(file, key_from, phone, state)
    data = source.read()
    try:
        if looks_like_cbc(data):
            expected = _digest(digest, firmware)
            opened = open_cbc(data, secret, expected=expected)
            plain = opened.plain
            for line in _unlike_a_phone(opened, expected):
                click.echo(f"netprov: {line}", err=True)
        else:
            plain = decrypt_gcm(data, decode_ikm(secret, _ikm(ikm)))
        plain = decompress(plain)
    except Malformed as error:
        click.echo(f"netprov: cannot decrypt: {error}", err=True)
        return 1
    output.write(plain)
    return 0


def _unlike_a_phone(opened: Opened, expected: Digest) -> Iterator[str]:
    """Say in what a file differs from what the phone reads."""
    if opened.base64:
        yield "the file is base64 (openssl -a): a phone reads the octets alone, so encrypt without -a"
    if opened.pbkdf2:
        yield "its key was derived by -pbkdf2, which no phone knows: encrypt without it"
    elif opened.digest != expected:
        yield (
            f"its key was derived with {opened.digest}, not {expected}: firmware before 11.3 takes md5, later sha256 "
            "(openssl -md)"
        )


@command.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--model", default="", metavar="NAME", help="The model that it is for, as 8851.")
@click.option("--firmware", default="", metavar="VERSION", help="What that phone runs, as 11.3.1.")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def lint(files: tuple[str, ...], *, model: str, firmware: str, strict: bool, as_json: bool) -> int:
    """Look at profiles from elsewhere: names that phones do not know, values that do not fit, rules they refuse.

    \b
      netprov profile lint cfg.xml --model 7841 --firmware 11.3.1
      netprov profile decrypt cfg.enc --key-from env:KEY | netprov profile lint -

    Exit code 1: an error was found, or with --strict a warning.
    """
    subject = Subject(model, firmware)
    found = [problem for name in files for problem in check_profile(_octets(name), name, subject)]
    if as_json:
        click.echo(findings.as_json(found))
    else:
        for line in findings.text(found):
            click.echo(line)
        click.echo(f"{', '.join(files)}: {findings.counted(found, 0)}")
    fatal = {"error", "warning"} if strict else {"error"}
    return int(any(problem.severity in fatal for problem in found))


def _octets(name: str) -> bytes:
    try:
        with click.open_file(name, "rb") as file:
            data: bytes = file.read(MAX_PROFILE + 1)
            return data
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}") from error


def _digest(chosen: str, firmware: str) -> Digest:
    if chosen == "auto":
        return digest_of(firmware)
    return "md5" if chosen == "md5" else "sha256"


def _ikm(chosen: str) -> IkmEncoding:
    return "b64url" if chosen == "b64url" else "raw"


def _secret(file: str | None, key_from: str | None, phone: str | None, state: str | None) -> tuple[str, str]:
    """Return the key that was asked for, and the firmware that it is for; never from the command line itself."""
    if key_from:
        kind, _, name = key_from.partition(":")
        if kind == "env" and name in os.environ:
            return os.environ[name], ""
        if kind == "file":
            try:
                return Path(name).read_text(encoding="utf-8").strip(), ""
            except (OSError, UnicodeDecodeError) as error:
                raise PkiError(f"the key in {name} cannot be read: {error}") from error
        raise PkiError(f"{key_from!r} is no place of a key: env:NAME of a variable that is set, or file:PATH")
    if not phone:
        raise click.UsageError("say whose key: --phone PHONE, or --key-from env:NAME")
    plan = open_plan(file).plan
    device = _device(plan, phone)
    found = peek_catalog(plan.provision, _state(plan, state)).secrets.profile_key(device.mac)
    if found is None:
        raise PkiError(f"there is no key for {phone} in the secrets file")
    return found, device.firmware


def _device(plan: Plan, phone: str) -> Device:
    mac = names_of(plan.site).find(phone)
    device = plan.provision.devices.get(mac)
    if device is None:
        raise InventoryError([UNKNOWN_PHONE.problem(f"there is no phone {phone!r} in the inventory")])
    return device


def _state(plan: Plan, state: str | None) -> Path:
    return Path(state or plan.site.inventory.server.state)
