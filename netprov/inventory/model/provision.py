"""The provisioning of the inventory: profiles and their values, static files, how the servers behave."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netprov.inventory.model.scalar import Duration, Record, Texts


class Parameter(Record):
    """One parameter of a profile."""

    value: str | None = Field(
        default=None,
        description="Text, or a Jinja2 template of it; left out, the phone keeps what it has.",
        examples=["example.com", "{{ phone.name }}"],
    )
    ua: Literal["na", "ro", "rw"] | None = Field(
        default=None, description="What the phone's user may do with it: nothing, read, change."
    )


Values = dict[str, str | Parameter]
"""Parameters by their XML names; a text alone is the value."""


class Profile(Record):
    """A configuration profile, from which a phone's flat-profile is made."""

    values: Values = Field(
        default={},
        description="Parameters by their XML names.",
        examples=[{"Display_Name_1_": "4081001141", "Proxy_1_": "example.com"}],
    )
    template: str | None = Field(
        default=None,
        description="Jinja2 text of the whole XML, where {{ parameters }} stands for the merged values. Default: "
        "a flat-profile of these values.",
        examples=["<device><flat-profile>{{ parameters }}</flat-profile></device>"],
    )
    template_file: str | None = Field(
        default=None,
        description="A file that holds such a template; its name starts from the directory of the inventory.",
        examples=["templates/desk.xml.j2"],
    )


class Encryption(Record):
    """How profiles are encrypted before they leave; keys are in the secrets file, or derived from its `site` secret."""

    method: Literal["none", "aes-256-cbc", "aes128gcm"] = Field(
        default="aes-256-cbc",
        description="`aes-256-cbc`: as `openssl enc`, for rules with --key. `aes128gcm`: RFC 8188, for phones with "
        "IKM_HTTP_Encrypt_Content, over HTTP and HTTPS only.",
    )
    digest: Literal["auto", "md5", "sha256"] = Field(
        default="auto", description="Key derivation of aes-256-cbc; auto: md5 for firmware before 11.3."
    )
    compress: bool = Field(default=False, description="Compress (gzip) before encrypting.")
    ikm: Literal["raw", "b64url"] = Field(
        default="raw", description="What the text of IKM_HTTP_Encrypt_Content stands for."
    )


class Auth(Record):
    """Credentials that phones must show to fetch their own profile; passwords are secrets."""

    scheme: Literal["basic", "digest"] = Field(default="digest", description="HTTP authentication scheme.")
    user: str = Field(default="$MA", description="User name, with macros of the phone.")
    everywhere: bool = Field(
        default=False,
        description="Also ask on /$PSN.xml, where a factory phone then shows its account screen.",
    )


class Demand(Record):
    """What a phone must show before it is given its own profile, whichever road it comes by: HTTPS, HTTP or TFTP."""

    sender: Literal["anyone", "lease", "port", "certificate"] | None = Field(
        default=None,
        description="`anyone` who names the phone. `lease`: from the phone's fixed or leased address. `port`: that, and the lease "
        "was asked for at one of the ports below (option 82). `certificate`: by a client certificate that names the phone, "
        "over HTTPS alone. Default: `certificate` where `client_certificates: required`, `port` where ports are given, else "
        "`anyone`.",
    )
    circuit_id: Texts = Field(
        default=(),
        description="Ports at which these phones are staged: circuit ID (option 82.1) like one of these patterns, or hex "
        "as 0x….",
        examples=["ge-0/0/*"],
    )
    remote_id: Texts = Field(
        default=(), description="Switches likewise: remote ID (option 82.2).", examples=["0x001122334455"]
    )
    hours: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d$",
        description="Hours of the day, by the server's clock, in which these profiles and keys are given.",
        examples=["07:00-19:00"],
    )


class Keys(Record):
    """Who is given the key or password that opens an encrypted or locked profile; over HTTPS alone, and on record."""

    policy: Literal["once", "lease", "port", "certificate", "never"] = Field(
        default="once",
        description="`once`: the phone's address the first time; then it is locked until `netprov phones unlock`. `lease`: the "
        "phone's address, any time. `port`: that, leased at a port of `demand`. `certificate`: the phone's client certificate. "
        "`never`: nobody; keys are entered by hand.",
    )
    window: Duration = Field(
        default=600,
        description="How long after the first time the same sender may ask again under `once`: answers are lost, phones "
        "restart.",
    )


class Secrets(Record):
    """Where the secrets file is; default: `secrets` in the state directory, made at the first start."""

    file: str | None = Field(default=None, description="A file.", examples=["/etc/netprov/secrets"])
    environment: str | None = Field(
        default=None, description="An environment variable that holds its text.", examples=["NETPROV_SECRETS"]
    )
    credential: str | None = Field(
        default=None,
        description="A systemd credential (LoadCredential=) that holds its text.",
        examples=["secrets"],
    )


class Redirection(Record):
    """Another place for a path."""

    to: str = Field(description="URL or path, with macros.", examples=["https://pr1.example.com/$PSN.xml"])
    status: Literal[301, 302] = Field(default=302, description="301 moved for good, 302 for now.")


class Directory(Record):
    """A directory that is served to the phones of one class alone."""

    directory: str = Field(description="The directory.", examples=["/srv/staff"])
    class_: str = Field(
        alias="class",
        description="A name under `classes:`: who is known as one of its phones is given these files, as far as its `demand` "
        "lets it have them.",
        examples=["staff"],
    )


class Provisioning(Record):
    """What the TFTP, HTTP and HTTPS servers give to phones."""

    values: Values = Field(default={}, description="Profile parameters of every phone of the site.")
    bootstrap: bool = Field(
        default=True,
        description="Answer phones that are not listed with a small profile that brings them to HTTPS.",
    )
    secure: bool = Field(
        default=True,
        description="Add Custom_CA_Rule and Profile_Rule (HTTPS) to profiles that leave over TFTP or HTTP, unless "
        "they set these themselves: a factory phone does not trust a private CA.",
    )
    paths: Texts = Field(
        default=(),
        description="Further paths under which phones find their profile, with macros.",
        examples=[["/cp/conf/$MAU.xml"]],
    )
    files: dict[str, str | Directory] = Field(
        default={},
        description="Directories that are served as they are, by the path they appear under; what is under `/` gives way "
        "to the phones' own paths. A file whose name tells a listed phone's MAC address or serial number is given as the `demand` "
        "of its class says.",
        examples=[{"/firmware": "/srv/firmware"}],
    )
    redirects: dict[str, str | Redirection] = Field(
        default={},
        description="Paths that are answered with another address, macros and all.",
        examples=[{"/old.xml": "https://pr1.example.com/$PSN.xml"}],
    )
    statuses: dict[str, Annotated[int, Field(ge=300, le=599)]] = Field(
        default={},
        description="Paths, with macros, that are answered with this HTTP status, to see what phones do.",
        examples=[{"/$PSN.xml": 503}],
    )
    reports: str = Field(
        default="/report", description="Path below which phones put their reports (Report_Rule)."
    )
    syslog: bool = Field(
        default=True,
        description="Listen for the phones' syslog messages (UDP 514) on this server's addresses.",
    )
    encryption: Encryption | None = Field(
        default=None, description="How profiles are encrypted. Default: not."
    )
    auth: Auth | None = Field(default=None, description="Credentials for profiles. Default: none.")
    secrets: Secrets = Field(default=Secrets(), description="Where secrets are kept.")
    demand: Demand | None = Field(
        default=None,
        description="What phones must show for their profile. Default: nothing, but see `sender`.",
    )
    keys: Keys | None = Field(
        default=None, description="Who is given keys and passwords of profiles. Default: once."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that answer over HTTP and HTTPS, sharing the ports."
    )

    @property
    def directories(self) -> dict[str, str]:
        """The directories under `files`, by path."""
        return {path: each if isinstance(each, str) else each.directory for path, each in self.files.items()}
