"""Rules about secrets: that every one that a profile needs is there, and that nobody else can read them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from netprov.check.profile import is_secret_parameter
from netprov.check.rule import Finding, View, named, planned, rule
from netprov.errors import Path
from netprov.provision.config import Device, Policy
from netprov.provision.gate.demand import strength
from netprov.provision.source import secret_names

MOST = 20
"""Phones that are named for one line of the inventory; then only their number is told."""


@rule(
    "secret-missing",
    "error",
    why=(
        "The phone's profile asks for a secret that the secrets file does not have. Without it the profile is refused: an "
        "empty password would blank the one that the phone has."
    ),
    remedy="add a line with the secret's name and its text to the secrets file",
)
def secret_missing(view: View) -> Iterator[Finding]:
    if view.disk.secrets is None:
        return
    missing: dict[Path, list[str]] = {}
    for phone, device, trial in view.trials:
        for each in trial.missing:
            path = view.renders(phone, each.parameter)
            missing.setdefault(path, []).append(f"{each.secret!r} of {named(device)}")
    for path, secrets in missing.items():
        for text in islice(secrets, MOST):
            yield Finding(path, f"{view.disk.secrets_place} has no secret {text}")
        if len(secrets) > MOST:
            yield Finding(
                path, f"{view.disk.secrets_place} lacks the secrets of {len(secrets) - MOST} more phones"
            )


@rule(
    "key-missing",
    "error",
    why="A profile that is to be encrypted, or given to those who know its password, is refused while there is neither.",
    remedy="add a line `site SECRET` to the secrets file, from which the keys of all phones follow, or one with the phone's MAC",
)
def key_missing(view: View) -> Iterator[Finding]:
    secrets = view.disk.secrets
    if view.plan is None or secrets is None:
        return
    without = []
    for phone in view.site.phones:
        device = view.plan.provision.devices[phone.declared.mac]
        sealed = device.policy.encryption != "none" and not secrets.profile_key(device.mac)
        locked = device.policy.auth is not None and not secrets.password(device.mac)
        if sealed or locked:
            without.append((phone, f"{'key' if sealed else 'password'} for the profile of {named(device)}"))
    for phone, text in without[:MOST]:
        yield Finding(("phones", phone.index), f"{view.disk.secrets_place} has no {text}")
    if len(without) > MOST:
        phone = without[MOST][0]
        rest = f"{view.disk.secrets_place} has no key for {len(without) - MOST} more phones"
        yield Finding(("phones", phone.index), rest)


@rule(
    "source-secret-missing",
    "error",
    why="Without the password or header that it wants, the source is not asked, and the phones get no profile.",
    remedy="add a line with the secret's name and its text to the secrets file",
)
def source_secret_missing(view: View) -> Iterator[Finding]:
    secrets, where = view.disk.secrets, view.disk.secrets_place
    if view.plan is None or secrets is None:
        return
    for name, source in view.plan.provision.sources.items():
        for secret in secret_names(source):
            if not secrets.get(secret):
                yield Finding(("sources", name), f"{where} has no secret {secret!r} of source {name}")


@rule(
    "source-in-clear",
    "warning",
    why="Whoever is between this machine and the source reads the secret, and may answer in its place: what he says goes into profiles.",
    remedy="write https:, with `ca:` where its certificate is of a CA of your own",
)
def source_in_clear(view: View) -> Iterator[Finding]:
    for name, source in view.inventory.sources.items():
        if source.http and source.http.headers and source.http.url.startswith("http:"):
            host = urlsplit(source.http.url).hostname or ""
            if host != "localhost" and not host.startswith("127."):
                yield Finding(("sources", name, "http", "url"), f"source {name} is told a secret over HTTP")


@rule(
    "secrets-unread",
    "info",
    why="What this user may not read cannot be checked: whether each secret that profiles ask for is there.",
    remedy="run `netprov check` as the user that runs `netprov serve`",
)
def secrets_unread(view: View) -> Iterator[Finding]:
    if view.disk.secrets_unread and not view.disk.secrets_absent and _wanted(view):
        yield Finding(("provisioning", "secrets"), view.disk.secrets_unread)


@rule(
    "secrets-absent",
    "warning",
    why="A secrets file that the inventory names is not made by itself: `netprov serve` does not start without it.",
    remedy="make the file, one secret a line, name and text, readable by the user that runs netprov alone (chmod 600)",
)
def secrets_absent(view: View) -> Iterator[Finding]:
    if view.disk.secrets_absent and _wanted(view):
        yield Finding(
            ("provisioning", "secrets"), f"the secrets file {view.disk.secrets_absent} is not there"
        )


def _wanted(view: View) -> bool:
    """Tell whether some phone's profile needs a secret."""
    provision = view.plan.provision if view.plan else None
    return provision is not None and any(
        device.policy.encryption != "none"
        or device.policy.auth is not None
        or "secret(" in device.template
        or any("secret(" in (each.value or "") for layer in device.layers for each in layer.values())
        for device in provision.devices.values()
    )


@rule(
    "secrets-exposed",
    "warning",
    why="Whoever has an account on this machine can read the file, and with it every secret in it.",
    remedy="chmod 600 the file, and give it to the user that runs netprov",
)
def secrets_exposed(view: View) -> Iterator[Finding]:
    for file, mode in view.disk.exposed:
        yield Finding(
            ("provisioning", "secrets"),
            f"{file} is open to everybody (mode {mode:03o})",
            remedy=f"chmod 600 {file}",
        )


@rule(
    "key-strength",
    "info",
    why=(
        "A profile is as safe as the way by which a phone is given what opens it. This says how safe that is; a switch that binds "
        "addresses to ports, or client certificates, make it stronger."
    ),
    remedy="choose under `keys: {policy: …}`: once, lease, port, certificate, never; see docs/security.md",
)
def key_strength(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    for at, label, policy in _policies(view):
        if words := strength(policy):
            yield Finding(at, f"keys of {label} (`{policy.keys}`): {words}")


@rule(
    "profile-open",
    "info",
    why=(
        "A profile with passwords that is not encrypted is given in clear to whoever names the phone's MAC address, unless its class "
        "demands more."
    ),
    remedy="encrypt it (`encryption:`), or give it to its phone alone: `demand: {sender: lease}`, or `certificate`",
)
def profile_open(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    devices = view.plan.provision.devices
    told: set[str] = set()
    for phone in view.site.phones:
        device = devices[phone.declared.mac]
        policy = device.policy
        open_ = policy.sender == "anyone" and policy.encryption == "none" and policy.auth is None
        if open_ and device.class_name not in told and _holds_secrets(device):
            told.add(device.class_name)
            at: Path = ("classes", device.class_name) if device.class_name else ("phones", phone.index)
            yield Finding(
                at, f"the profile of {named(device)} holds a password, and is given to who names it"
            )


def _policies(view: View) -> Iterator[tuple[Path, str, Policy]]:
    """Yield every policy that phones of the inventory are under, once, with the line it is from."""
    assert view.plan is not None
    seen: set[str] = set()
    for device in view.plan.provision.devices.values():
        if device.class_name in seen:
            continue
        seen.add(device.class_name)
        own = view.inventory.classes.get(device.class_name)
        mine = own is not None and (own.encryption or own.auth or own.keys)
        at: Path = ("classes", device.class_name) if mine else ("provisioning",)
        yield at, f"class {device.class_name}" if device.class_name else "phones of no class", device.policy


def _holds_secrets(device: Device) -> bool:
    return "secret(" in device.template or any(
        parameter.value and is_secret_parameter(name)
        for layer in device.layers
        for name, parameter in layer.items()
    )


PORT_UNKNOWN = planned(
    "port-unknown",
    "error",
    why="What is given by the port at which a phone's lease was asked for needs ports to be named.",
    remedy="name ports under `demand: {circuit_id: …, remote_id: …}`, or go by `lease` or `certificate`",
)
