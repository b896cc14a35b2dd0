"""Keys of other programs that operators write out of habit, and what the inventory has instead.

Words of dnsmasq, dhcpd, Kea, NetworkManager, OpenWrt and Ansible. A key is compared without case, `-`, `_` and blanks,
and without the `option` that dhcpd puts before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netprov.errors import Path

_ROUTER = "write `router:`"
_DNS = "write `dns:`"
_NTP = "write `ntp:`"
_POOL = "write `pool: 10.20.0.100-10.20.0.199`"
_PREFIX = "write the prefix length with the subnet: `subnet: 10.20.0.0/24`"
_VLAN = "name the interface of the VLAN: `interface: lan0.30`; the server has it, or the switch's port leads to it"
_LEASE = "write `lease:`"
_TFTP = "write `options: {66: 10.20.0.1}` in a class with `method: dhcp`"
_DOMAIN = "write `domain:`"
_PHONES = "list them at the top, under `phones:`, each with `mac:` and `address:`"
_IMPORT = "this is another program's file: `netprov import FILE` makes an inventory of it"
_INTERFACE = "write `interface:`"

_NETWORK: Mapping[str, str] = {
    **dict.fromkeys(
        ("gateway", "gateway4", "gw", "defaultgateway", "defaultrouter", "routers", "router"), _ROUTER
    ),
    **dict.fromkeys(
        (
            "dnsserver",
            "dnsservers",
            "nameserver",
            "nameservers",
            "domainnameserver",
            "domainnameservers",
            "resolvers",
        ),
        _DNS,
    ),
    **dict.fromkeys(("ntpserver", "ntpservers", "timeserver", "timeservers"), _NTP),
    **dict.fromkeys(
        ("range", "ranges", "dhcprange", "iprange", "addresspool", "pools", "start", "end"), _POOL
    ),
    **dict.fromkeys(("netmask", "mask", "subnetmask", "prefix", "prefixlength", "prefixlen"), _PREFIX),
    **dict.fromkeys(("cidr", "network", "net"), "write `subnet: 10.20.0.0/24`"),
    **dict.fromkeys(("vlan", "vlanid", "vid", "vlans", "voicevlan"), _VLAN),
    **dict.fromkeys(("leasetime", "defaultleasetime", "validlifetime", "dhcpleasetime", "ttl"), _LEASE),
    **dict.fromkeys(("maxleasetime", "maxvalidlifetime"), "write `lease_max:`"),
    **dict.fromkeys(("minleasetime", "minvalidlifetime"), "write `lease_min:`"),
    **dict.fromkeys(("renewtimer", "t1", "dhcprenewaltime"), "write `renew:`"),
    **dict.fromkeys(("rebindtimer", "t2", "dhcprebindingtime"), "write `rebind:`"),
    **dict.fromkeys(("domainname", "searchdomain", "domainsearch", "search"), _DOMAIN),
    **dict.fromkeys(
        (
            "tftp",
            "tftpserver",
            "tftpservername",
            "tftpserveraddress",
            "nextserver",
            "bootserver",
            "serverhostname",
        ),
        _TFTP,
    ),
    **dict.fromkeys(("iface", "nic", "device", "dev", "interfaces", "bridge"), _INTERFACE),
    **dict.fromkeys(("ip", "serverip", "ipaddress", "address4", "serveraddress"), "write `address:`"),
    **dict.fromkeys(("reservations", "hosts", "host", "dhcphost", "staticleases"), _PHONES),
    **dict.fromkeys(
        ("optiondata", "dhcpoption", "dhcpoptions", "option"), "write `options: {2: 3600}`, by number"
    ),
}

_PHONE: Mapping[str, str] = {
    **dict.fromkeys(
        ("hwaddress", "hardwareethernet", "hwaddr", "hardware", "macaddress", "macaddr"), "write `mac:`"
    ),
    **dict.fromkeys(("fixedaddress", "ip", "ipaddress", "ipaddr", "ip4", "ansiblehost"), "write `address:`"),
    **dict.fromkeys(("hostname", "host"), "write `name:`"),
    **dict.fromkeys(("type", "product", "productname", "modelname", "ua"), "write `model: CP-8851-3PCC`"),
    **dict.fromkeys(("serialnumber", "sn"), "write `serial:`"),
    **dict.fromkeys(("clientclass", "clientclasses", "group", "groups", "tag", "set"), "write `class:`"),
    **dict.fromkeys(("extension", "ext", "line", "userid"), 'write `values: {User_ID_1_: "1141"}`'),
    "csv": "write `phones: {csv: FILE}`, without the dash",
    **dict.fromkeys(("displayname", "label"), "write `values: {Display_Name_1_: Lobby}`"),
}

_SITE: Mapping[str, str] = {
    **dict.fromkeys(
        ("dhcp4", "subnet4", "sharednetwork", "all", "children", "vars", "dhcphost", "dhcprange"), _IMPORT
    ),
    **dict.fromkeys(
        ("interface", "subnet", "pool", "lease"), "it belongs to a network: `networks: {voice: {…}}`"
    ),
    "encryption": "it belongs under `provisioning:`: `provisioning: {encryption: {method: aes-256-cbc}}`",
    "auth": "it belongs under `provisioning:`: `provisioning: {auth: {scheme: digest}}`",
    "values": "it belongs under `provisioning:`: `provisioning: {values: {Proxy_1_: example.com}}`",
    "files": "it belongs under `provisioning:`: `provisioning: {files: {/firmware: /srv/firmware}}`",
    **dict.fromkeys(
        ("defaults", "parameters"), "what all phones share belongs under `provisioning: {values: {…}}`"
    ),
    **dict.fromkeys(
        ("tftp", "http", "https", "web"),
        "TFTP, HTTP and HTTPS need no section; a directory that is served as it is: `provisioning: {files: {/firmware: /srv/firmware}}`",
    ),
    **dict.fromkeys(
        ("listen", "bind", "listenaddress"),
        "this server's address is its network's: `networks: {voice: {address: 10.20.0.1}}`",
    ),
    **dict.fromkeys(("site", "zone", "domainname"), "write `domain:`"),
    **dict.fromkeys(("devices", "handsets", "reservations", "clients"), "write `phones:`"),
}

_MATCH: Mapping[str, str] = {
    **dict.fromkeys(
        ("vendorclassidentifier", "vendor", "vendorclassid", "option60"), "write `vendor_class:`"
    ),
    **dict.fromkeys(("hostname", "option12"), 'write `host_name: "SEP*"`'),
    **dict.fromkeys(("hardware", "oui", "macprefix", "hwaddress"), "write `mac: 00:12:34`"),
    **dict.fromkeys(("vlan", "vlanid", "subnet"), "write `network: voice`, a name under `networks:`"),
    **dict.fromkeys(
        ("model", "product", "type"), "write `vendor_class: CP-8851-3PCC*`: phones send their model there"
    ),
    **dict.fromkeys(
        ("ip", "address"),
        "clients have no address yet: write `network: voice`, or list the phone under `phones:` with `class:`",
    ),
}

_SRV: Mapping[str, str] = {
    **dict.fromkeys(("tls", "ssl", "ciscoprovhttps", "ciscoprovhttps.tls"), "write `https:`"),
    **dict.fromkeys(("tcp", "ciscoprovhttp", "ciscoprovhttp.tcp"), "write `http:`"),
}
_TARGET: Mapping[str, str] = dict.fromkeys(("host", "hostname", "server", "name", "fqdn"), "write `target:`")

_CERTIFICATES: Mapping[str, str] = dict.fromkeys(
    ("key", "cert", "crt", "certificate", "chain", "pem", "keyfile", "certfile"),
    "bring your own certificate and key by `netprov cert import`; the inventory does not name them",
)

_HOST: Mapping[str, str] = {
    **dict.fromkeys(("ip", "address", "ipaddress", "addr", "a"), "write `addresses: 10.20.0.11`"),
    **dict.fromkeys(("alias", "cname", "cnames"), "write `aliases:`"),
}

_KEYS = "keys and passwords are no part of the inventory: the secrets file has them, a line `MAC TEXT` a phone, or `site TEXT` for all"

_ENCRYPTION: Mapping[str, str] = dict.fromkeys(("key", "password", "passphrase", "secret"), _KEYS)
_AUTH: Mapping[str, str] = {
    **dict.fromkeys(
        ("password", "pass", "secret"),
        "passwords are no part of the inventory: the secrets file has them, a line `password:MAC TEXT` a phone, or `site TEXT` for all",
    ),
    **dict.fromkeys(("username", "login"), "write `user:`"),
    **dict.fromkeys(("method", "type"), "write `scheme: digest`"),
}
_ACS: Mapping[str, str] = {
    **dict.fromkeys(("url", "acsurl", "address"), "write `acs_url:` in a class with `method: acs`"),
    **dict.fromkeys(("username", "user", "password"), "write `credentials: {username: admin, password: …}`"),
}
_DHCP: Mapping[str, str] = dict.fromkeys(
    ("lease", "router", "dns", "ntp", "pool", "subnet", "interface", "domain", "options"),
    "it belongs to a network: `networks: {voice: {…}}`",
)

_SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Inventory": _SITE,
    "Match": _MATCH,
    "Network": _NETWORK,
    "Host": _HOST,
    "Encryption": _ENCRYPTION,
    "Auth": _AUTH,
    "AcsSettings": _ACS,
    "Dhcp": _DHCP,
    "Phone": _PHONE,
    "Srv": _SRV,
    "SrvTarget": _TARGET,
    "Certificates": _CERTIFICATES,
}

_CHOICES: Mapping[str, Mapping[str, str]] = {
    "method": {
        **dict.fromkeys(("tftp", "option66", "option150", "option160", "options"), "dhcp"),
        **dict.fromkeys(("dns", "dnssrv", "http", "https"), "srv"),
        **dict.fromkeys(("tr069", "cwmp"), "acs"),
        **dict.fromkeys(("static", "none", "off"), "manual"),
    },
    "clients": {
        **dict.fromkeys(("any", "everyone"), "all"),
        **dict.fromkeys(("listed", "reserved"), "known"),
    },
}

_OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(("tftpservername", "tftpserver", "tftp"), "66"),
    **dict.fromkeys(("bootfilename", "bootfile", "filename"), "67"),
    **dict.fromkeys(("vendorencapsulatedoptions", "vendorspecificinformation", "vendorspecific"), "43"),
    **dict.fromkeys(("tftpserveraddress", "tftpservers", "voiptftpserver", "ciscotftp"), "150"),
    **dict.fromkeys(("timeoffset",), "2"),
    **dict.fromkeys(("domainsearch",), "119"),
    **dict.fromkeys(("classlessstaticroute", "rfc3442classlessstaticroutes"), "121"),
    **dict.fromkeys(("vivendorspecific", "vivendorspecificinformation"), "125"),
}


def remedy_for(section: str, key: str) -> str:
    """Return what to write instead of another program's key in a section, by the section's model; "" if unknown."""
    bare = _bare(key)
    words = _SECTIONS.get(section, {})
    return words.get(bare) or words.get(bare.removeprefix("option"), "")


def choice_for(key: str, word: Any) -> str:
    """Return the choice of a key that another word stands for, "" if unknown."""
    return _CHOICES.get(key, {}).get(_bare(str(word)), "")


def value_for(path: Path, value: Any) -> str:
    """Return what to write instead of a text where a list or a mapping stands, "" if unknown."""
    match path, value:
        case ((), str()):
            return "an inventory begins `domain: example.com`; a list of phones is its `phones: {csv: FILE}`"
        case (("phones",), str()):
            return f"write `phones: {{csv: {value}}}`"
        case _:
            return ""


def option_for(name: str) -> str:
    """Return the number of a DHCP option by another program's name of it, or written as option66; "" if unknown."""
    if digits := re.fullmatch(r"(?:opt|option|code)[-_ ]?(\d+)", name, re.IGNORECASE):
        return digits[1]
    return _OPTIONS.get(_bare(name).removeprefix("option"), "")


def _bare(word: str) -> str:
    return "".join(each for each in word.lower() if each not in "-_ ")
