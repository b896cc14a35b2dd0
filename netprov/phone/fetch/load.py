"""From an answer to applied parameters: decrypt, decompress, parse, apply, and fetch the CA that a profile names.

Cisco's guide, "Open Profile (XML) Compression and Encryption": the header `Content-Encoding: aes128gcm` wins over a key
in the rule; gzip is recognised by its first octets.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dhcp.option.provisioning import TFTP_CODES
from netprov.errors import Malformed
from netprov.phone.action import Road, Say
from netprov.phone.fetch.alias import parse_aliased, parse_aliases
from netprov.phone.fetch.exchange import Category, Fetched, Refusal, fetch
from netprov.phone.fetch.reach import PLAIN, FetchRequest
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import PROFILE_RULES
from netprov.phone.rule.grammar import choose, parse_rule
from netprov.phone.rule.url import Url, parse_url
from netprov.phone.source import Source, read_options
from netprov.provision.crypto import MAGIC, decrypt_cbc, decrypt_gcm, digest_of
from netprov.provision.profile import parse_profile

CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A profile was fetched and applied; `changed` names the parameters that got another value."""

    url: Url
    changed: tuple[str, ...]

    @property
    def new_rules(self) -> bool:
        """Whether the profile gave the phone another profile rule to follow."""
        return any(name in self.changed for name in PROFILE_RULES)


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """No profile: the category of table 2, and why."""

    category: Category
    error: str
    corrupt: bool = False


def load(
    handset: Handset,
    url: Url,
    request: FetchRequest = PLAIN,
    *,
    key: str = "",
    aliases: str = "",
    at: tuple[str, ...] = (),
) -> Road[Loaded | NotLoaded]:
    """Fetch one profile and apply it, with the phone's own log lines around it."""
    yield handset.log("Log_Request_Msg", url, address=at[0] if at else "")
    answer = yield from fetch(handset, url, request, at=at)
    if isinstance(answer, Refusal):
        handset.last_error = f"{url}: {answer.error}"
        yield handset.log("Log_Failure_Msg", url, address=answer.address, error=answer.error)
        return NotLoaded(answer.category, answer.error)
    try:
        clear = decrypt(handset, answer, key)
        profile = parse_aliased(clear, parse_aliases(aliases)) if aliases else parse_profile(clear)
    except Malformed as error:
        reason = f"corrupt profile: {error}"
        handset.last_error = f"{url}: {reason}"
        yield handset.log("Log_Failure_Msg", url, address=answer.address, error=reason)
        return NotLoaded("B", reason, corrupt=True)
    changed = handset.apply(profile)
    yield handset.log("Log_Success_Msg", answer.url, address=answer.address, error="OK")
    yield from _custom_ca(handset)
    return Loaded(answer.url, changed)


def decrypt(handset: Handset, answer: Fetched, key: str) -> bytes:
    """Return a file in clear; raises `Malformed` where neither the rule's key nor the phone's IKM opens it."""
    if answer.encoding.lower() == "aes128gcm":
        if not handset.ikm:
            raise Malformed("it is encrypted by RFC 8188, and the phone has no IKM_HTTP_Encrypt_Content")
        return decrypt_gcm(answer.body, handset.ikm)
    if answer.body.startswith(MAGIC):
        if not key:
            raise Malformed("it is encrypted, and the rule names no key")
        return decrypt_cbc(answer.body, key, digest=digest_of(handset.software))
    return answer.body


def _custom_ca(handset: Handset) -> Road[None]:
    """Fetch and trust the authority that Custom_CA_Rule names, if it names another one than before.

    It is fetched by what the phone trusts already, which is why it has to come by HTTP or TFTP first.
    """
    rule = handset["Custom_CA_Rule"]
    if not rule or rule == handset.loaded_ca:
        return
    try:
        chosen = choose(parse_rule(handset.expand(rule)))
        if chosen is None:
            return
        url = handset_url(handset, chosen.read().url)
    except Malformed as error:
        yield Say(f"Custom CA rule: {error}", failure=True)
        return
    answer = yield from fetch(handset, url)
    if isinstance(answer, Refusal):
        yield Say(f"Custom CA Info: download failed: {answer.error}", failure=True)
        return
    if CERTIFICATE not in answer.body:
        yield Say("Custom CA Info: the file holds no certificate in PEM", failure=True)
        return
    handset.custom_roots = (answer.body.decode("ascii", "replace"),)
    handset.loaded_ca = rule
    yield Say(f"Custom CA Info: Installed from {url}")


def handset_url(handset: Handset, text: str) -> Url:
    """Read a URL of a rule; without a server it is the one of option 66 or, failing that, of option 150."""
    host = ""
    if handset.lease is not None:
        for source in read_options(handset.lease.options, TFTP_CODES):
            if isinstance(source, Source) and "://" not in source.values[0]:
                host = host or source.values[0]
    return parse_url(text, host)
