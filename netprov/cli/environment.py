"""What `netprov check` looks at on this machine's disk: the chains that hosts present, the directories that are served."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netprov.check import Chain, Environment
from netprov.errors import NetprovError, PkiError, ServiceError
from netprov.inventory.model import Inventory
from netprov.plan.provision import secrets_place
from netprov.provision.secret import Secrets
from netprov.state.catalog import absent_secrets, exposed, peek_secrets, secret_files

if TYPE_CHECKING:
    from netprov.pki.chain import Certificate
    from netprov.pki.store import Store

MOST_FILES = 100_000
"""Files of a served directory that are looked at."""


def environment(inventory: Inventory) -> Environment:
    """Look at the certificate store and the served directories; what cannot be read is left out."""
    store = Path(inventory.server.state) / "pki"
    chains: tuple[Chain, ...] = ()
    trust: tuple[Certificate, ...] | None = None
    if _readable(store):
        chains, trust = _certificates(store)
    trees = {
        prefix: _names(Path(directory)) for prefix, directory in inventory.provisioning.directories.items()
    }
    secrets, place, unread = _secrets(inventory)
    return Environment(
        chains=chains,
        trust=trust,
        trees=trees,
        secrets=secrets,
        secrets_place=place,
        secrets_unread=unread,
        secrets_absent=absent_secrets(secrets_place(inventory)),
        exposed=_exposed(inventory),
        roots_unread=dict(_roots_unread(inventory.certificates.client_roots)),
    )


def _secrets(inventory: Inventory) -> tuple[Secrets | None, str, str]:
    """Return the secrets, where they are, and why they could not be read."""
    try:
        place, secrets = peek_secrets(secrets_place(inventory), Path(inventory.server.state))
    except (ServiceError, OSError) as error:
        return None, "", error.message if isinstance(error, ServiceError) else str(error)
    return secrets, place, ""


def _exposed(inventory: Inventory) -> tuple[tuple[str, int], ...]:
    files = [*secret_files(secrets_place(inventory), Path(inventory.server.state))]
    return exposed([*files, *(Path(key.file) for key in inventory.dns.keys.values() if key.file)])


def _roots_unread(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each file that no CA can be read from, and why."""
    for file in files:
        try:
            from netprov.pki.chain import decode

            decode(Path(file).read_bytes())
        except FileNotFoundError:
            yield file, "is not there"
        except OSError as error:
            yield file, f"cannot be read: {error.strerror}"
        except PkiError as error:
            yield file, f"holds no CA: {error.message}"


def _readable(directory: Path) -> bool:
    try:
        return directory.is_dir() and os.access(directory, os.R_OK | os.X_OK)
    except OSError:
        return False


def _certificates(directory: Path) -> tuple[tuple[Chain, ...], tuple[Certificate, ...] | None]:
    """Return the chains of every host and the trust anchors; the certificate library is loaded only here."""
    from netprov.pki.store import Store

    store = Store(directory)
    found: dict[str, Chain] = {}
    for host in sorted(_hosts(directory)):
        try:
            for file in store.chain_files(host):
                found.setdefault(str(file), _chain(store, host, file))
        except (NetprovError, OSError):
            continue
    try:
        return tuple(found.values()), store.anchors()
    except (NetprovError, OSError):
        return tuple(found.values()), None


def _chain(store: Store, host: str, file: Path) -> Chain:
    from netprov.pki.chain import decode

    return Chain(_label(host), str(file), decode(file.read_bytes()), store.imported(host))


def _label(owner: str) -> str:
    return "every host" if owner == "any" else owner


def _hosts(directory: Path) -> set[str]:
    """Return the owners of the chains in a store, files `HOST.KIND.pem`."""
    files = [*directory.glob("servers/*.*.pem"), *directory.glob("imported/*.*.pem")]
    return {file.name.removesuffix(".pem").rpartition(".")[0] for file in files}


def _names(directory: Path) -> frozenset[str] | None:
    if not directory.is_dir():
        return None
    names: set[str] = set()
    for folder, _, files in os.walk(directory):
        inside = Path(folder).relative_to(directory)
        names |= {(inside / name).as_posix() for name in files}
        if len(names) > MOST_FILES:
            break
    return frozenset(names)
