"""What is to be certified: the values that the plan derives, and that the store fulfils."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netprov.errors import PkiError
from netprov.pki.names import Address

KeyKind = Literal["rsa-2048", "rsa-4096", "ecdsa-p256"]
"""`rsa-2048` is what every firmware takes, `ecdsa-p256` what newer ones take at a tenth of the server's CPU."""

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]

DAY = 86400

COMMON_NAME_LIMIT = 64
"""Characters of a common name: ub-common-name of RFC 5280 appendix A."""


@dataclass(frozen=True, slots=True)
class AuthorityRequest:
    """The local certificate authority; time spans in seconds.

    `permitted` are the domains that it may certify (RFC 5280 name constraints), () for no constraint; they
    are written into the intermediate where there is one, else into the root.
    """

    name: str
    key: KeyKind = "rsa-2048"
    lifetime: int = 3650 * DAY
    intermediate: bool = False
    intermediate_lifetime: int = 1825 * DAY
    permitted: tuple[str, ...] = ()
    backdate: int = DAY
    crl_url: str | None = None
    crl_lifetime: int = 30 * DAY


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """The certificate of one listening host: one chain for every kind of key.

    `dns_names[0]` is the domain, which is also the common name; `also` are further domains that phones verify here.
    """

    host: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...] = ()
    keys: tuple[KeyKind, ...] = ("rsa-2048", "ecdsa-p256")
    lifetime: int = 397 * DAY
    renew_before: int = 30 * DAY
    also: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The name that phones verify."""
        return self.dns_names[0]


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """Which certificates of phones a server asks for and believes; `roots` are PEM files beside the local CA."""

    ask: Literal["off", "optional", "required"] = "off"
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PkiPlan:
    """Everything about certificates: `servers[0]` is this machine."""

    authority: AuthorityRequest
    servers: tuple[ServerRequest, ...]
    clients: ClientPolicy = ClientPolicy()
    tls_min: TlsVersion = "1.2"
    class_tls: tuple[TlsVersion, ...] = ()
    """Oldest versions that classes of phones may speak, beside the site's."""

    def server(self, host: str) -> ServerRequest:
        """Return the request of a host; `PkiError` names those there are."""
        for request in self.servers:
            if request.host.lower() == host.lower():
                return request
        known = ", ".join(request.host for request in self.servers)
        raise PkiError(f"{host} is not a host that serves HTTPS here", f"these are: {known}")
