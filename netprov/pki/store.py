"""The certificate store in the state directory: the local CA, the chains of servers and phones, what is revoked.

    root.pem  intermediate.pem       key and certificate of the CA (0600)
    ca.pem  crl.pem                  what clients need: trust anchors, first the one that counts; revocation lists
    servers/HOST.KIND.pem            key and chain that were issued here
    imported/HOST.KIND.pem           key and chain of the operator, which go before ours; imported/roots.pem
    requested/HOST.KIND.pem          keys that wait for a certificate signed elsewhere
    phones/MAC.KIND.pem              client certificates for labs
    issued/SERIAL.pem                every certificate that was ever issued, without its key

Key and chain share a file, so that one rename replaces both: an interrupted issue leaves the old pair whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from netprov.errors import PkiError
from netprov.pki import authority, issue, renewal, revocation
from netprov.pki import bundle as bundles
from netprov.pki.bundle import Bundle
from netprov.pki.chain import Certificate, decode
from netprov.pki.disk import PUBLIC, Disk, random_serial
from netprov.pki.issue import Issuer, Validity
from netprov.pki.names import PhoneSubject
from netprov.pki.request import AuthorityRequest, KeyKind, PkiPlan, ServerRequest
from netprov.pki.stage import Stage

ANY_HOST = "any"
"""Stands for the host in the name of an imported chain that every host presents."""

_PHONE_LIFETIME = 3650 * 86400


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate that was issued, and why; `role` is root, intermediate, server or phone."""

    role: str
    name: str
    kind: str
    reason: str
    certificate: Certificate


class Store:
    """The files below `<state>/pki`; every change holds a lock, and is on disk when the method returns."""

    def __init__(self, directory: str | Path | Stage) -> None:
        self._disk = directory if isinstance(directory, Stage) else Disk(Path(directory))

    @property
    def directory(self) -> Path:
        """Where the store is."""
        return self._disk.directory

    @property
    def ca_file(self) -> Path:
        """PEM file of the trust anchors, for Custom_CA_Rule: the root that issued what is presented comes first."""
        return self._disk.path("ca.pem")

    @property
    def crl_file(self) -> Path:
        """PEM file of the revocation lists, the issuing CA's first."""
        return self._disk.path("crl.pem")

    def is_ours(self) -> bool:
        """Say whether this process may issue; what only presents certificates reads them alone."""
        return self._disk.is_ours()

    # What is there.

    def root(self) -> Bundle:
        """Return the local root; `PkiError` if there is none yet."""
        return self._required("root.pem")

    def issuers(self) -> tuple[Bundle, ...]:
        """Return the local CA, what issues first, the root last."""
        between = self._bundle("intermediate.pem")
        return (between, self.root()) if between else (self.root(),)

    def anchors(self) -> tuple[Certificate, ...]:
        """Return the trust anchors that phones need, as in `ca_file`."""
        data = self._disk.read("ca.pem")
        if data is None:
            raise PkiError(f"there is no CA in {self.directory}", "make it: `netprov cert init`")
        return decode(data)

    def chain_files(self, host: str) -> tuple[Path, ...]:
        """Return the PEM files, key and chain each, that a host presents: one for every kind of key.

        An operator's own chain goes before ours, and is then the only one: a phone that trusts the operator's
        CA must not be shown the local one.
        """
        return tuple(map(self._disk.path, self._chain_names(host)))

    def chains(self, host: str) -> tuple[Bundle, ...]:
        """Return the chains that a host presents."""
        return tuple(map(self._required, self._chain_names(host)))

    def imported(self, host: str) -> bool:
        """Tell whether what a host presents is the operator's own, which is not renewed here."""
        return any(name.startswith("imported/") for name in self._chain_names(host))

    def unlike(self, plan: PkiPlan) -> tuple[str, ...]:
        """Return the hosts whose own chains here are missing, or have other names than a plan asks for."""
        return tuple(
            request.host
            for request in plan.servers
            if not (names := self._presented(request.host))
            or (
                not names[0].startswith("imported/")
                and any(renewal.is_unlike(self._required(name).leaf, request) for name in names)
            )
        )

    def issued(self) -> tuple[Certificate, ...]:
        """Return every certificate that was ever issued here."""
        data = (self._disk.read(name) for name in self._disk.names("issued"))
        return tuple(certificate for each in data if each for certificate in decode(each))

    def phones(self) -> tuple[Bundle, ...]:
        """Return the client certificates of phones."""
        return tuple(self._required(name) for name in self._disk.names("phones"))

    def revoked(self) -> tuple[x509.CertificateRevocationList, ...]:
        """Return the revocation lists."""
        return revocation.decode(self._disk.read("crl.pem") or b"")

    def waiting_keys(self) -> tuple[issue.PrivateKey, ...]:
        """Return the keys that wait for a certificate signed elsewhere."""
        data = (self._disk.read(name) for name in self._disk.names("requested"))
        return tuple(bundles.decode_key(each) for each in data if each)

    # What changes it.

    def stage(self) -> Stage:
        """Return the files of this store to change unseen: `Store(stage)` is the store as it will be."""
        return Stage(Disk(self.directory))

    def ensure(self, plan: PkiPlan, now: float, *, hosts: Iterable[str] = ()) -> tuple[Issued, ...]:
        """Issue what is missing, revoked, unlike the plan or about to end; return what was issued.

        `hosts` names those to issue again in any case.
        """
        wanted = {plan.server(host).host for host in hosts}
        with self._disk.locked():
            done = self._ensure_authority(plan, now)
            self._ensure_public(plan, now)
            for request in plan.servers:
                done += self._ensure_server(plan, request, now, anyway=request.host in wanted)
            return tuple(done)

    def replace_authority(self, plan: PkiPlan, now: float) -> tuple[Issued, ...]:
        """Make a new CA with new keys, and everything below it; phones need its certificate before they trust it."""
        with self._disk.locked():
            done = self._keep(
                "root", "root.pem", authority.new_root(plan.authority, now, random_serial), "asked for"
            )
            for name in ("intermediate.pem", "crl.pem"):
                self._disk.remove(name)
        return (done, *self.ensure(plan, now))

    def issue_phone(self, plan: PkiPlan, subject: PhoneSubject, kind: KeyKind, now: float) -> Issued:
        """Issue a client certificate shaped like one from the factory, for an emulated phone in a lab."""
        with self._disk.locked():
            issuers = self.issuers()
            key = issue.new_key(kind)
            validity = Validity(now - plan.authority.backdate, now + _PHONE_LIFETIME)
            signer = authority.issuer_of(issuers[0], plan.authority)
            certificate = issue.phone(
                subject, key.public_key(), signer, validity=validity, serial=random_serial()
            )
            chain = (certificate, *(each.leaf for each in issuers[:-1]))
            return self._keep("phone", f"phones/{subject.mac}.{kind}.pem", Bundle(chain, key), "asked for")

    def sign(self, plan: PkiPlan, csr: x509.CertificateSigningRequest, now: float) -> tuple[Certificate, ...]:
        """Issue a server's chain to a key that lives elsewhere, with the names its request asks for; record it.

        Raises `PkiError` for a request that cannot be fulfilled.
        """
        server = plan.servers[0]
        with self._disk.locked():
            issuers = self.issuers()
            validity = Validity(now - plan.authority.backdate, now + server.lifetime)
            signer = authority.issuer_of(issuers[0], plan.authority)
            try:
                leaf = issue.server_from_request(csr, signer, validity=validity, serial=random_serial())
            except (ValueError, x509.ExtensionNotFound) as error:
                raise PkiError(
                    f"the request cannot be signed: {error}", "make it with `netprov cert csr`"
                ) from error
            self._record(leaf)
            return (leaf, *(each.leaf for each in issuers[:-1]))

    def request(self, request: ServerRequest, kind: KeyKind) -> bytes:
        """Return a PKCS#10 request for a host, in PEM; its key waits in the store, the same one when asked again."""
        name = f"requested/{request.host.lower()}.{kind}.pem"
        with self._disk.locked():
            waiting = self._disk.read(name)
            key = bundles.decode_key(waiting) if waiting else issue.new_key(kind)
            if not waiting:
                self._disk.write(name, bundles.key_pem(key))
        return issue.signing_request(request, key).public_bytes(Encoding.PEM)

    def adopt(self, plan: PkiPlan, own: Bundle, roots: tuple[Certificate, ...], host: str | None) -> Path:
        """Keep an operator's own key and chain, for one host or for every one, and the roots that phones need."""
        kind = issue.kind_of(own.key) or "rsa"
        slot = kind.partition("-")[0]
        name = f"imported/{(plan.server(host).host if host else ANY_HOST).lower()}.{slot}.pem"
        with self._disk.locked():
            if roots:
                known = self._imported_roots()
                merged = (*roots, *(root for root in known if root not in roots))
                self._disk.write("imported/roots.pem", _pem(merged), PUBLIC)
            self._disk.write(name, own.encode())
            self._publish_anchors()
        return self._disk.path(name)

    def drop_adopted(self) -> tuple[Path, ...]:
        """Forget the operator's chains and roots, so that ours are presented again; return what was removed."""
        with self._disk.locked():
            names = self._disk.names("imported")
            for name in names:
                self._disk.remove(name)
            self._publish_anchors()
        return tuple(map(self._disk.path, names))

    def revoke(
        self, plan: PkiPlan, certificates: Iterable[Certificate], *, reason: str, now: float
    ) -> tuple[Certificate, ...]:
        """Revoke certificates of the local CA; return those that were not revoked before.

        Raises `PkiError` for one that the CA at hand did not issue. A server's chain that is revoked is
        issued anew by the next `ensure`.
        """
        done = []
        term = plan.authority.crl_lifetime
        with self._disk.locked():
            for certificate in certificates:
                lists = self.revoked()
                if revocation.is_revoked(lists, certificate):
                    continue
                issuer = self._signer_of(certificate, plan.authority)
                have = authority.list_of(lists, issuer)
                added = revocation.revoke(issuer, have, certificate, reason=reason, now=now, lifetime=term)
                rest = tuple(each for each in lists if each != have)
                self._disk.write("crl.pem", revocation.encode((added, *rest)), PUBLIC)
                done.append(certificate)
        return tuple(done)

    # How.

    def _chain_names(self, host: str) -> tuple[str, ...]:
        if found := self._presented(host):
            return found
        raise PkiError(f"there is no certificate for {host}", f"issue it: `netprov cert issue {host}`")

    def _presented(self, host: str) -> tuple[str, ...]:
        for folder, owner in (("imported", host), ("imported", ANY_HOST), ("servers", host)):
            if found := tuple(name for name in self._disk.names(folder) if _owner(name) == owner.lower()):
                return found
        return ()

    def _ensure_authority(self, plan: PkiPlan, now: float) -> list[Issued]:
        done = []
        if due := authority.next_root(self._bundle("root.pem"), plan, now, random_serial):
            done.append(self._keep("root", "root.pem", *due))
        if plan.authority.intermediate:
            have = self._bundle("intermediate.pem")
            if due := authority.next_intermediate(have, self.root(), plan, now, random_serial):
                done.append(self._keep("intermediate", "intermediate.pem", *due))
        else:
            self._disk.remove("intermediate.pem")
        authority.check_permitted(plan.authority, self.issuers()[0].leaf)
        return done

    def _ensure_public(self, plan: PkiPlan, now: float) -> None:
        """Write what follows from the CA, its anchors and lists; so an interruption before this heals itself."""
        self._publish_anchors()
        lists = self.revoked()
        fresh = authority.next_lists(self.issuers(), lists, plan.authority, now)
        if fresh != lists:
            self._disk.write("crl.pem", revocation.encode(fresh), PUBLIC)

    def _ensure_server(
        self, plan: PkiPlan, request: ServerRequest, now: float, *, anyway: bool
    ) -> list[Issued]:
        done = []
        issuers, lists = self.issuers(), self.revoked()
        for kind in request.keys:
            name = f"servers/{request.host.lower()}.{kind}.pem"
            due = authority.next_server(
                self._usable(name),
                request,
                kind,
                issuers=issuers,
                lists=lists,
                authority=plan.authority,
                now=now,
                serial=random_serial,
                anyway=anyway,
            )
            if due:
                done.append(self._keep("server", name, *due))
        return done

    def _publish_anchors(self) -> None:
        own = self._bundle("root.pem")
        data = _pem(dict.fromkeys((*self._imported_roots(), *((own.leaf,) if own else ()))))
        if self._disk.read("ca.pem") != data:
            self._disk.write("ca.pem", data, PUBLIC)

    def _signer_of(self, certificate: Certificate, request: AuthorityRequest) -> Issuer:
        for each in self.issuers():
            if certificate.issued_by(each.leaf):
                return authority.issuer_of(each, request)
        raise PkiError(
            f"certificate {certificate.serial} was not issued by the CA in {self.directory}",
            f"ask its issuer: {certificate.issuer}",
        )

    def _keep(self, role: str, name: str, bundle: Bundle, reason: str) -> Issued:
        """Record the certificate, then put it in place: what is in use is always known."""
        self._record(bundle.leaf)
        self._disk.write(name, bundle.encode())
        return Issued(role, _owner(name) or role, str(issue.kind_of(bundle.key)), reason, bundle.leaf)

    def _record(self, certificate: Certificate) -> None:
        self._disk.write(f"issued/{certificate.serial}.pem", certificate.pem().encode(), PUBLIC)

    def _imported_roots(self) -> tuple[Certificate, ...]:
        data = self._disk.read("imported/roots.pem")
        return decode(data) if data else ()

    def _required(self, name: str) -> Bundle:
        found = self._bundle(name)
        if found is None:
            raise PkiError(f"there is no {self._disk.path(name)}", "make it: `netprov cert init`")
        return found

    def _bundle(self, name: str) -> Bundle | None:
        data = self._disk.read(name)
        if data is None:
            return None
        try:
            return bundles.decode_bundle(data)
        except PkiError as error:
            raise PkiError(f"{self._disk.path(name)}: {error.message}", error.remedy) from error

    def _usable(self, name: str) -> Bundle | None:
        """Return a server's pair, or None also where it is damaged: it is issued again then."""
        try:
            return self._bundle(name)
        except PkiError:
            return None


def _owner(name: str) -> str:
    """Return the host or MAC of a file `folder/OWNER.KIND.pem`, "" for another file."""
    return name.rpartition("/")[2].removesuffix(".pem").rpartition(".")[0]


def _pem(certificates: Iterable[Certificate]) -> bytes:
    return "".join(certificate.pem() for certificate in certificates).encode()
