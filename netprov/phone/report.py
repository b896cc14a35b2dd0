"""Reports: what a phone sends of its configuration and status to the URLs of Report_Rule.

Cisco's guides: `[--status]URL [--delta]URL`, no keyword is the whole configuration; PUT or POST by `HTTP_Report_Method`; raw
XML, encrypted with the rule's key or, without one, by RFC 8188 where the phone has an IKM: netprov's servers open neither with
the key of a profile, they give reports one of their own (`provision.secret`). What a phone never shows
(passwords, GPP_SA to GPP_SD, the IKM) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.phone.action import Road, Say
from netprov.phone.fetch.exchange import Refusal, fetch
from netprov.phone.fetch.reach import FetchRequest
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.conceal import is_hidden
from netprov.phone.rule.grammar import Alternative, parse_reports, with_secrets
from netprov.phone.rule.url import parse_url
from netprov.provision.crypto import digest_of, encrypt_cbc, encrypt_gcm
from netprov.provision.profile import Parameter, format_profile, layer


@dataclass(slots=True)
class Reporter:
    """Remembers what was reported, so that a delta holds only what changed since."""

    last: Mapping[str, str]

    def report(self, handset: Handset) -> Road[bool]:
        """Send every report that the rule names; False if one of them was refused."""
        fine = True
        try:
            alternatives = parse_reports(handset.expand(handset["Report_Rule"]))
            for each in alternatives:
                alternative = with_secrets(each, handset.expand_secret)
                answer = yield from self._send(handset, alternative)
                if answer is not None:
                    fine = False
                    yield Say(f"Report to {alternative.url} failed: {answer.error}", failure=True)
        except Malformed as error:
            yield Say(f"Report_Rule: {error}", failure=True)
            return False
        if fine:
            self.last = dict(handset.parameters)
        return fine

    def _send(self, handset: Handset, alternative: Alternative) -> Road[Refusal | None]:
        url = parse_url(alternative.url)
        options = alternative.options
        body, coding = encrypted(handset, self._body(handset, options), options.get("key", ""))
        method = "POST" if handset["HTTP_Report_Method"].strip().upper() == "POST" else "PUT"
        headers = {"Content-Type": "text/xml", **({"Content-Encoding": coding} if coding else {})}
        request = FetchRequest(
            user=options.get("uid", ""),
            password=options.get("pwd", ""),
            method=method,
            body=body,
            headers=headers,
        )
        answer = yield from fetch(handset, url, request)
        return answer if isinstance(answer, Refusal) else None

    def _body(self, handset: Handset, options: Mapping[str, str]) -> bytes:
        if "status" in options:
            return _profile(_status(handset))
        shown = {name: value for name, value in handset.parameters.items() if not is_hidden(name)}
        if "delta" in options:
            shown = {name: value for name, value in shown.items() if self.last.get(name) != value}
        return _profile(shown)


def encrypted(handset: Handset, body: bytes, key: str) -> tuple[bytes, str]:
    """Return a report's body and its Content-Encoding, "" for none."""
    if key:
        return encrypt_cbc(body, key, salt=_random(handset, 8), digest=digest_of(handset.software)), ""
    if handset.ikm:
        return encrypt_gcm(body, handset.ikm, salt=_random(handset, 16)), "aes128gcm"
    return body, ""


def _status(handset: Handset) -> dict[str, str]:
    return {
        "Product_Name": handset.identity.model.name,
        "Serial_Number": handset.identity.serial_number,
        "MAC_Address": handset.identity.ma.upper(),
        "Software_Version": handset.software,
        "Hardware_Version": handset.identity.hardware,
        "Customization": str(handset.customization),
        "Current_IP": handset.lease.address if handset.lease else "",
    }


def _profile(values: Mapping[str, str]) -> bytes:
    return format_profile(layer(Parameter(name, value) for name, value in values.items()))


def _random(handset: Handset, octets: int) -> bytes:
    return bytes(handset.draw(256) for _ in range(octets))
