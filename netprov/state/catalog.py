"""Gives the catalog what a plan does not hold: the CA's certificate, the secrets, randomness."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from netprov.errors import InventoryError, ServiceError
from netprov.pki.store import Store
from netprov.provision.catalog import Catalog
from netprov.provision.config import Provision, SecretsPlace
from netprov.provision.gate.handout import HandOut
from netprov.provision.secret import SITE, Secrets, parse_secrets
from netprov.state.place import PKI, SECRETS

DEFAULT_FILE = SECRETS
_STAGED = ".secrets-staged"
_MADE = "made at the first start"
"""Stands for the secret of a site that was never served."""


def load_catalog(
    provision: Provision,
    state: Path,
    *,
    ca: bytes | None = None,
    handed: Callable[[str], HandOut | None] = lambda _mac: None,
) -> Catalog:
    """Return the catalog of a plan; secrets that have to be made are staged until `publish_secrets`.

    `ca` is the CA's certificate where it is not what is on disk. Raises `ServiceError` if secrets cannot be read.
    """
    if ca is None:
        ca = b""
        with suppress(OSError):
            ca = Store(state / PKI).ca_file.read_bytes()
    text = _stage(state) if provision.secrets == SecretsPlace() else None
    secrets = load_secrets(provision.secrets, state) if text is None else _parse(text)
    return Catalog(provision, entropy=os.urandom, ca=ca, secrets=secrets, handed=handed)


def publish_secrets(state: Path) -> None:
    """Put secrets that were made for a catalog in their place; whoever has put some there before wins."""
    staged = state / _STAGED
    if not staged.exists():
        return  # nor could this process remove one, where the state directory is root's
    with suppress(FileNotFoundError, FileExistsError):
        os.link(staged, state / DEFAULT_FILE)
    staged.unlink(missing_ok=True)


def discard_secrets(state: Path) -> None:
    """Forget secrets that were made for a catalog which is not going to be used."""
    with suppress(OSError):  # they are nobody's, and taken up again by the next who needs some
        if (state / _STAGED).exists():
            (state / _STAGED).unlink(missing_ok=True)


def peek_catalog(provision: Provision, state: Path) -> Catalog:
    """Return the catalog as `load_catalog`, but make nothing: for verbs that only look."""
    ca = b"" if not (path := Store(state / PKI).ca_file).exists() else path.read_bytes()
    secrets = Secrets()
    if provision.secrets != SecretsPlace() or (state / DEFAULT_FILE).exists():
        secrets = load_secrets(provision.secrets, state)
    return Catalog(provision, entropy=os.urandom, ca=ca, secrets=secrets)


def peek_secrets(place: SecretsPlace, state: Path) -> tuple[str, Secrets]:
    """Return where the secrets are, for people, and what would be there once served. Raises `ServiceError`."""
    path = _path(place, state)
    shown = f"${place.environment}" if place.environment else str(path)
    if place == SecretsPlace() and not path.exists():
        return shown, Secrets({SITE: _MADE})
    return shown, load_secrets(place, state)


def absent_secrets(place: SecretsPlace) -> str:
    """Return the secrets file that the inventory names, if it is not there; "" otherwise."""
    try:
        return place.file if place.file and not Path(place.file).exists() else ""
    except OSError:
        return ""  # whether it is there cannot be seen


def exposed(files: Iterable[Path]) -> tuple[tuple[str, int], ...]:
    """Return which of these files others than their owner and group can read or write, with their modes."""
    found = []
    for path in files:
        with suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & (stat.S_IROTH | stat.S_IWOTH):
                found.append((str(path), mode))
    return tuple(found)


def secret_files(place: SecretsPlace, state: Path) -> Iterator[Path]:
    """Yield the files on this machine that hold secrets or private keys of netprov, as far as they can be seen."""
    if not place.environment:
        yield _path(place, state)
    for path in sorted((state / PKI).rglob("*.pem")):
        with suppress(OSError):
            if b"PRIVATE KEY" in path.read_bytes():
                yield path


def _path(place: SecretsPlace, state: Path) -> Path:
    if place.credential:
        return Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / place.credential
    return Path(place.file) if place.file else state / DEFAULT_FILE


def load_secrets(place: SecretsPlace, state: Path) -> Secrets:
    """Return the secrets from where the inventory says. Raises `ServiceError`."""
    return _parse(_read(place, state))


def _parse(text: str) -> Secrets:
    secrets, problems = parse_secrets(text)
    if problems:
        raise ServiceError(f"secrets: {InventoryError(problems)}", "correct the secrets file")
    return secrets


def _read(place: SecretsPlace, state: Path) -> str:
    if place.environment:
        text = os.environ.get(place.environment)
        if text is None:
            raise ServiceError(
                f"secrets: there is no environment variable {place.environment}", "set it, or name a file"
            )
        return text
    if place.credential:
        remedy = "LoadCredential= in the unit must name it"
    elif place.file:
        remedy = "name a file that this user can read under `provisioning: {secrets: …}`"
    else:
        remedy = "the user that runs netprov must own the state directory"
    return _read_file(_path(place, state), remedy)


def _read_file(path: Path, remedy: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        made = f"make it, one secret a line, name and text: `install -m 600 /dev/null {path}`; or {remedy}"
        raise ServiceError(f"secrets: {path} is not there", made) from error
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ServiceError(f"secrets: {path} cannot be read: {said}", remedy) from error


def _stage(state: Path) -> str | None:
    """Return the text of a new secrets file, that of all processes which stage one now; None if there is a file.

    A file appears under its name whole, by link(2), and the staged name goes only after the other has come.
    """
    target, staged = state / DEFAULT_FILE, state / _STAGED
    unfinished = state / f"{_STAGED}.{os.getpid()}.{get_ident()}"
    with suppress(OSError):  # reading the file will tell what is wrong
        if target.exists():
            return None
        try:
            _write(unfinished)
            with suppress(FileExistsError):
                os.link(unfinished, staged)
        finally:
            unfinished.unlink(missing_ok=True)
        if not target.exists():
            return staged.read_text(encoding="utf-8")
        staged.unlink(missing_ok=True)
    return None


def make_secrets(place: SecretsPlace, state: Path) -> None:
    """Write a new secrets file for this user alone, unless there is one, or the inventory names another place.

    An empty file that is there is filled: whoever made it has seen to who may read it.
    """
    if place != SecretsPlace():
        return
    if _stage(state) is not None:
        publish_secrets(state)
        return
    with suppress(OSError):  # it is another's to fill
        fd = os.open(state / DEFAULT_FILE, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        if os.fstat(fd).st_size:
            os.close(fd)
        else:
            _write_new(fd)


def _write(path: Path) -> None:
    _write_new(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))


def _write_new(fd: int) -> None:
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write("# Secrets of netprov: one a line, its name and its text. Keep this file to yourself.\n")
        file.write(
            "# The keys of all phones follow from the site's, unless a line names their MAC address.\n"
        )
        file.write(f"{SITE} {os.urandom(32).hex()}\n")
        file.flush()
        os.fsync(file.fileno())
