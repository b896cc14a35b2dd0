"""Certificates: which are to be issued anew, and what is asked of clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from netprov.diff.seen import Change, compared, words
from netprov.pki.request import AuthorityRequest, ClientPolicy, PkiPlan, ServerRequest


def certificate_changes(old: PkiPlan, new: PkiPlan) -> Iterator[Change]:
    """Yield what certificates say differently; their remaining time is not looked at."""
    before = {each.host.lower(): each for each in old.servers}
    after = {each.host.lower(): each for each in new.servers}
    for host in dict.fromkeys((*after, *before)):
        yield from compared("certificates", host, _leaf(before.get(host)), _leaf(after.get(host)))
    yield from compared("certificates", "the CA", _settings(old.authority), _settings(new.authority))
    yield from compared("certificates", "phones' own", _settings(old.clients), _settings(new.clients))
    yield from compared("certificates", "every host", _site(old), _site(new))


def _leaf(request: ServerRequest | None) -> Mapping[str, str]:
    if request is None:
        return {}
    return {
        "names": ", ".join((*request.dns_names, *map(str, request.addresses))),
        "keys": ", ".join(request.keys),
        "lifetime": f"{request.lifetime} s",
        "other domains": ", ".join(request.also),
    }


def _site(plan: PkiPlan) -> Mapping[str, str]:
    return {"oldest TLS": plan.tls_min, "oldest TLS of classes": ", ".join(plan.class_tls)}


def _settings(record: AuthorityRequest | ClientPolicy) -> Mapping[str, str]:
    """Return the fields of a request, in words."""
    return {each.name.replace("_", " "): words(getattr(record, each.name)) for each in fields(record)}
