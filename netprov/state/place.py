"""Where in the state directory things are that several modules speak of; light, for whoever only looks at them."""

from __future__ import annotations

from typing import Final

PKI: Final = "pki"
"""Directory of the certificate store."""

KEYS: Final = "keys"
"""Directory of what is on record of keys that were given."""

SECRETS: Final = "secrets"
"""File of the secrets, where the inventory names no other."""
