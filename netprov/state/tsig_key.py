"""TSIG keys whose secrets are kept outside the inventory: in a file, the environment, a systemd credential."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from netprov.dns.config import DnsConfig, KeptKey
from netprov.dns.server.tsig import Key, parse_key
from netprov.errors import ServiceError


def load_keys(config: DnsConfig) -> DnsConfig:
    """Return a configuration that has all its keys. Raises `ServiceError`, which never shows a secret."""
    loaded = [_load(kept) for kept in config.kept_keys]
    return replace(config, keys={**config.keys, **{key.name: key for key in loaded}}, kept_keys=())


def _load(kept: KeptKey) -> Key:
    place, text = _read(kept)
    try:
        return parse_key(kept.name, kept.algorithm, text)
    except ValueError as error:
        raise ServiceError(f"{place}: {error}", "make one with `tsig-keygen`") from None


def _read(kept: KeptKey) -> tuple[str, str]:
    """Return where a secret is, for people, and the text there."""
    if kept.environment:
        text = os.environ.get(kept.environment)
        if text is None:
            message = f"there is no environment variable {kept.environment}, which holds key {kept.name}"
            raise ServiceError(message, "set it, or name a file under `dns: {keys: …}`")
        return kept.environment, text
    path, remedy = Path(kept.file), "name a file that the server's user can read under `dns: {keys: …}`"
    if kept.credential:
        path = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / kept.credential
        remedy = "LoadCredential= in the unit must name it: `systemctl edit netprov-dns`"
    try:
        return str(path), path.read_text(encoding="utf-8")
    except OSError as error:
        raise ServiceError(f"key {kept.name}: {path} cannot be read: {error.strerror}", remedy) from error
    except UnicodeDecodeError:
        raise ServiceError(f"key {kept.name}: {path} is not text", remedy) from None
