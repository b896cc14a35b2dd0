"""The sources of the inventory: where values of profiles come from that are kept elsewhere."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from netprov.errors import BadValue
from netprov.inventory.model.scalar import Duration, Record

KNOWN_OF_PHONES = ("mac", "model", "serial", "firmware", "name", "class", "profile", "ma")
"""What a query or a URL may say of the phone; a test compares it with what sources are told."""

_DATABASES = ("sqlite", "postgresql", "mysql", "mariadb")
_BOUND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""A bound parameter, as SQLAlchemy reads it: `::` is a cast."""
_NAME = re.compile(r"[A-Za-z_]\w{0,31}", re.ASCII)
_PLACE = re.compile(r"\{([^{}]*)\}")
_PASSWORD = re.compile(r"\w+://[^:/]*:[^@]*@")
"""A password in a database's URL as SQLAlchemy reads it: up to `@`, where by RFC 3986 `/`, `?` and `#` end it."""
_DATABASE_EXAMPLE = "postgresql://netprov@db.example.com/phones"


def _split(url: str, example: str) -> SplitResult:
    """Split a URL without a word of it in the error: somebody may have written a password there."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise BadValue("it is not a URL", f"write {example}") from None
    return parts


def _without_password(parts: SplitResult, remedy: str, *, more: bool = False) -> None:
    words = {each.partition("=")[0].lower() for each in parts.query.split("&")}
    if more or parts.password is not None or words & {"password", "passwd", "sslpassword"}:
        raise BadValue("a password stands in the URL, where everybody reads it", remedy)


def _database(value: str) -> str:
    parts = _split(value, _DATABASE_EXAMPLE)
    if parts.scheme not in _DATABASES:
        raise BadValue(
            f"a database of kind {parts.scheme!r} is not known",
            f"write {', '.join(f'{each}://' for each in _DATABASES)}: {_DATABASE_EXAMPLE}, sqlite:////srv/phones.db",
        )
    remedy = "take it out, and name a line of the secrets file under `password:`"
    _without_password(parts, remedy, more=_PASSWORD.match(value) is not None)
    if parts.scheme == "sqlite" and not parts.path.startswith("//"):
        raise BadValue(
            "the file of a SQLite database is not named from the root", "write sqlite:////srv/phones.db"
        )
    return value


def _query(value: str) -> str:
    for name in _BOUND.findall(value):
        _check_known(f":{name}", name)
    return value


def _url(value: str) -> str:
    example = "https://crm.example.com/phones/{mac}"
    parts = _split(value, example)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadValue("it is not a URL of HTTP or HTTPS", f"write {example}")
    _without_password(
        parts, "take it out, and name a line of the secrets file: `headers: {Authorization: NAME}`"
    )
    if "{" in parts.netloc:
        raise BadValue("the host would depend on the phone", f"name the host: {example}")
    for name in _PLACE.findall(value):
        _check_known(f"{{{name}}}", name)
    return value


def _check_known(written: str, name: str) -> None:
    if name not in KNOWN_OF_PHONES:
        raise BadValue(
            f"{written} is nothing that is known of a phone", f"write one of {', '.join(KNOWN_OF_PHONES)}"
        )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadValue(
            f"{value!r} is no name that a template can write", "write letters, digits and _, as crm"
        )
    return value


SourceName = Annotated[str, BeforeValidator(_name)]
"""What templates call a source."""


class SourceQuery(Record):
    """A query that finds one row of a database; its columns are the values."""

    database: Annotated[str, AfterValidator(_database)] = Field(
        description="The database's URL without a password: sqlite, postgresql, mysql or mariadb.",
        examples=[_DATABASE_EXAMPLE, "sqlite:////srv/phones.db"],
    )
    query: Annotated[str, AfterValidator(_query)] = Field(
        description="SQL with bound parameters for what is known of the phone: `:mac`, `:ma` (without colons), `:serial`, "
        "`:model`, `:firmware`, `:name`, `:class`, `:profile`. Whatever it changes is rolled back.",
        examples=["SELECT extension, display FROM phones WHERE mac = :mac"],
    )
    password: str = Field(
        default="",
        description="The name of the line in the secrets file that holds the database's password.",
        examples=["crm-db"],
    )


class SourceUrl(Record):
    """A URL that answers with one JSON object; its members are the values. Redirects are not followed."""

    url: Annotated[str, AfterValidator(_url)] = Field(
        description="URL in which `{mac}`, `{ma}`, `{serial}`, … stand for what is known of the phone, quoted.",
        examples=["https://crm.example.com/phones/{mac}"],
    )
    headers: dict[str, str] = Field(
        default={},
        description="Header fields, and the names of the lines in the secrets file that hold their values.",
        examples=[{"Authorization": "crm-token"}],
    )
    ca: str | None = Field(
        default=None,
        description="A file with the CA of its certificate. Default: those that this machine trusts.",
        examples=["/etc/ssl/certs/site-ca.pem"],
    )


class SourceProgram(Record):
    """A program that reads what is known of the phone as JSON, and writes one JSON object; its members are the values."""

    command: tuple[str, ...] = Field(
        description="The program, named from the root, and its arguments. No shell reads them.",
        examples=[["/usr/local/bin/phone-values", "--json"]],
    )


class Source(Record):
    """Where values of profiles come from that are kept elsewhere: one of `sql`, `http` and `program`."""

    sql: SourceQuery | None = Field(default=None, description="A query of a database.")
    http: SourceUrl | None = Field(default=None, description="A URL.")
    program: SourceProgram | None = Field(default=None, description="A program.")
    timeout: Annotated[Duration, Field(ge=1, le=60)] = Field(
        default=3, description="How long an answer may take; a phone waits meanwhile, and not for ever."
    )
    fresh: Duration = Field(
        default=60, description="How long an answer serves before the source is asked again."
    )
    stale: Duration = Field(
        default=0,
        description="How long after that it may serve if the source fails. Default: not; the phone is told to come again.",
    )
