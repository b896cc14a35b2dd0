"""`netprov cert`: the local certificate authority and what it issues."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from cryptography import x509

from netprov.cli.verb.service.cert import show as cert_show
from netprov.cli.verb.service.cert.desk import Desk, desk_options, open_desk, read, report
from netprov.cli.verb.service.cert.own import csr, export, import_
from netprov.cli.word import Words
from netprov.errors import PkiError
from netprov.mac import parse_mac
from netprov.pki.chain import Certificate, decode
from netprov.pki.names import PhoneSubject
from netprov.pki.revocation import REASONS
from netprov.pki.verify import date
from netprov.runtime.web.second import refuse_second_ca
from netprov.state.catalog import make_secrets


@click.group(cls=Words)
def command() -> None:
    """Make certificates, and look after them.

    \b
    Nothing has to be done by hand: `netprov serve` makes the CA and the certificates it needs, and renews them.
    Examples:
      netprov cert init                       make the CA and every certificate now
      netprov cert show                       what there is, until when, and what phones would object to
      netprov cert export ca -o ca.pem        the CA's certificate, for Custom_CA_Rule
      netprov cert revoke pr1                 and then `netprov cert renew`
      netprov cert import --chain chain.pem --key key.pem
    """


@command.command()
@desk_options
@click.option("--replace", is_flag=True, help="Make a new CA although there is one; phones must learn it.")
def init(file: str | None, state: str | None, replace: bool) -> int:
    """Make the CA and every certificate that the inventory asks for; what is there already stays.

    \b
    Examples:
      netprov cert init -f site.yaml
      netprov cert init --replace             new keys for everything
    """
    desk = open_desk(file, state)
    work = desk.store.replace_authority if replace else desk.store.ensure
    report(work(desk.pki, desk.now), otherwise="Everything is there already.")
    root = desk.store.anchors()[0]
    print(f"Phones need {desk.store.ca_file} (Custom_CA_Rule): {root.subject}, until {date(root.not_after)}.")
    return 0


@command.command()
@click.argument("hosts", nargs=-1)
@desk_options
@click.option("--phone", metavar="MAC", help="Instead: a client certificate for this phone, for labs.")
@click.option("--model", help="The phone's model, if the inventory does not list it.")
@click.option("--serial", help="The phone's serial number, if the inventory does not list it.")
@click.option("--csr", "request", metavar="FILE", help="Instead: sign this request (PEM), print the chain.")
def issue(
    hosts: tuple[str, ...],
    *,
    file: str | None,
    state: str | None,
    phone: str | None,
    model: str | None,
    serial: str | None,
    request: str | None,
) -> int:
    """Issue certificates again, with new keys: of the HOSTS named, or of all.

    \b
    Examples:
      netprov cert issue                      every server certificate
      netprov cert issue pr1                  this host's
      netprov cert issue --phone 00:12:34:ab:45:de
      netprov cert issue --csr request.pem > chain.pem
    """
    desk = open_desk(file, state)
    if request:
        desk.store.ensure(desk.pki, desk.now)
        chain = desk.store.sign(desk.pki, _read_csr(request), desk.now)
        print("".join(certificate.pem() for certificate in chain), end="")
        return 0
    if phone:
        subject = _phone(desk, phone, model, serial)
        done = desk.store.ensure(desk.pki, desk.now)
        for kind in desk.pki.servers[0].keys:
            done += (desk.store.issue_phone(desk.pki, subject, kind, desk.now),)
        report(done)
        return 0
    wanted = [desk.absolute(host) for host in hosts] or [each.host for each in desk.pki.servers]
    report(desk.store.ensure(desk.pki, desk.now, hosts=wanted))
    return 0


@command.command()
@desk_options
def renew(file: str | None, state: str | None) -> int:
    """Issue again what is about to expire, is revoked, or no longer fits the inventory.

    \b
    Examples:
      netprov cert renew
    A running `netprov serve` does so every hour, and presents within seconds what this verb renews. Where the store is another
    user's (systemd/netprov-cert.service), that one does. The site's secret is made too, if there is none.
    """
    desk = open_desk(file, state)
    asyncio.run(refuse_second_ca(desk.plan, desk.state))
    make_secrets(desk.plan.provision.secrets, desk.state)
    done = desk.store.ensure(desk.pki, desk.now)
    ends = [bundle.leaf.not_after for each in desk.pki.servers for bundle in desk.store.chains(each.host)]
    report(done, otherwise=f"Nothing is due. The first certificate ends on {date(min(ends))}.")
    for host, ends_on in _imported(desk):
        print(
            f"{host} presents an imported chain until {date(ends_on)}, which is not renewed here: import its successor "
            "with `netprov cert import`."
        )
    return 0


def _imported(desk: Desk) -> list[tuple[str, float]]:
    """Return the hosts that present an imported chain, and when it ends."""
    hosts = [each.host for each in desk.pki.servers if desk.store.imported(each.host)]
    return [(host, min(own.leaf.not_after for own in desk.store.chains(host))) for host in hosts]


@command.command()
@click.argument("what", required=False)
@desk_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--all", "everything", is_flag=True, help="Every certificate ever issued, and which are revoked."
)
def show(what: str | None, *, file: str | None, state: str | None, as_json: bool, everything: bool) -> int:
    """Show the certificates of the store, of one HOST, or in a FILE, and what a phone would object to.

    \b
    Examples:
      netprov cert show
      netprov cert show pr1 --json
      netprov cert show chain-of-another-server.pem
    Exit code 1 if a phone would refuse one.
    """
    desk = open_desk(file, state)
    if what and Path(what).is_file():
        views = cert_show.of_file(desk, Path(what))
    elif everything:
        views = cert_show.of_issued(desk)
    else:
        views = cert_show.of_store(desk, desk.absolute(what) if what else None)
    return cert_show.print_views(views, desk.now, as_json=as_json)


@command.command()
@click.argument("what", nargs=-1, required=True)
@desk_options
@click.option("--reason", type=click.Choice(list(REASONS)), default="unspecified", show_default=True)
def revoke(what: tuple[str, ...], *, file: str | None, state: str | None, reason: str) -> int:
    """Revoke certificates: of a HOST, with a SERIAL number, or in a FILE. Then run `netprov cert renew`.

    \b
    Examples:
      netprov cert revoke pr1 --reason key-compromise
      netprov cert revoke 7752f85de39c0a628f46862f919f87fe
    """
    desk = open_desk(file, state)
    wanted = [certificate for each in what for certificate in _named(desk, each)]
    done = desk.store.revoke(desk.pki, wanted, reason=reason, now=desk.now)
    for certificate in done:
        print(f"revoked {certificate.serial}  {certificate.subject}")
    if not done:
        print("They were revoked already.")
    return 0


for other in (csr, import_, export):
    command.add_command(other)


def _named(desk: Desk, what: str) -> Sequence[Certificate]:
    if Path(what).is_file():
        return decode(read(what))[:1]
    serial = what.lower().replace(":", "")
    by_serial = [each for each in desk.store.issued() if each.serial.startswith(serial)]
    if len(serial) >= 8 and len(by_serial) == 1:
        return by_serial
    return [bundle.leaf for bundle in desk.store.chains(desk.pki.server(desk.absolute(what)).host)]


def _phone(desk: Desk, mac: str, model: str | None, serial: str | None) -> PhoneSubject:
    wanted = PhoneSubject("", "", mac).mac
    phones = (each.declared for each in desk.plan.site.phones)
    listed = next((each for each in phones if parse_mac(each.mac).hex() == wanted), None)
    model = model or (listed.model if listed else None)
    if not wanted or not model:
        raise PkiError(
            f"no model is known for phone {mac}", "list it under `phones:`, or give --model CP-8841-3PCC"
        )
    return PhoneSubject(model, serial or (listed.serial if listed else None) or wanted.upper(), wanted)


def _read_csr(name: str) -> x509.CertificateSigningRequest:
    try:
        return x509.load_pem_x509_csr(read(name))
    except ValueError as error:
        raise PkiError(
            f"{name} is not a signing request", "PKCS#10 in PEM, as `netprov cert csr` prints"
        ) from error
