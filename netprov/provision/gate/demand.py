"""What a class demands before its phones are given their profile or a key, put to one sender; the same on every road."""

from __future__ import annotations

from netprov.provision.answer import Refusal
from netprov.provision.config import Device, KeyPolicy, Policy, SenderDemand
from netprov.provision.gate.handout import Proof
from netprov.provision.requester import Requester

_WANTS: dict[SenderDemand, str] = {
    "lease": "it is given to the phone's own address alone",
    "port": "it is given at the ports of `demand` alone (option 82 of its lease)",
    "certificate": "it is given by HTTPS to the phone's client certificate alone",
}
_MEETS: dict[SenderDemand | KeyPolicy, frozenset[Proof]] = {
    "lease": frozenset({"lease", "port", "certificate"}),
    "once": frozenset({"lease", "port", "certificate"}),
    "port": frozenset({"port"}),
    "certificate": frozenset({"certificate"}),
    "never": frozenset(),
}
"""Which proofs meet a demand, or a policy of keys."""


def proof_of(device: Device, requester: Requester) -> Proof:
    """Return by what a sender is known that has been proven to be a phone; its lease tells the port."""
    if requester.certificate_mac:
        return "certificate"
    return "port" if device.policy.ports.named and requester.at_port(device.policy.ports) else "lease"


def unmet(device: Device, requester: Requester, proof: Proof | None) -> Refusal | None:
    """Return why a device's own profile, and what opens it, is not given to a sender, None if it is."""
    policy = device.policy
    if policy.hours is not None and not _within(policy.hours, requester.minute):
        reason = f"it is given from {_clock(policy.hours[0])} to {_clock(policy.hours[1])} alone"
        return Refusal(reason, 403, device.mac, why="demand-hours")
    if policy.sender == "anyone" or proof in _MEETS[policy.sender] or requester.probe == "signed":
        return None
    if policy.sender == "port" and proof == "certificate" and requester.at_port(policy.ports):
        return None
    return Refusal(_WANTS[policy.sender], 403, device.mac, why="demand-sender")


def key_refused(device: Device, requester: Requester, proof: Proof | None) -> Refusal | None:
    """Return why a device's key or password is not given to a sender, None if the policy lets it have it."""
    policy = device.policy
    if policy.keys == "never":
        reason = "its key is given to nobody: enter it by hand (`netprov profile key`)"
        return Refusal(reason, 403, device.mac, why="key-never")
    if proof in _MEETS[policy.keys] or requester.probe == "signed":
        return None
    if policy.keys == "port" and proof == "certificate" and requester.at_port(policy.ports):
        return None
    wants = _WANTS["lease" if policy.keys == "once" else policy.keys]
    return Refusal(f"its key: {wants}", 403, device.mac, why="key-sender")


def strength(policy: Policy) -> str:
    """Say in words how strong what protects a profile is, the weakest first; "" where nothing has to be kept."""
    if policy.encryption == "none" and policy.auth is None:
        return ""
    return _STRENGTH[policy.keys]


_STRENGTH: dict[KeyPolicy, str] = {
    "lease": "whoever takes the phone's address is given its key, any time, and nothing shows it but the record",
    "once": "whoever takes the phone's address before the phone has been there is given its key, and then the phone is "
    "refused, which shows it; after that nobody is until an operator unlocks it",
    "port": "whoever takes the phone's address is given its key if its lease was asked for at a named port; that is as strong as "
    "the switch: let it drop option 82 of clients and bind addresses to ports",
    "certificate": "who has the phone's private key is given its key, and nobody else",
    "never": "nobody is given the key by the network",
}


def _within(hours: tuple[int, int], minute: int) -> bool:
    first, last = hours
    return first <= minute < last if first <= last else minute >= first or minute < last


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
