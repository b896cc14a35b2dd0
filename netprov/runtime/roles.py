"""The roles of `netprov serve`; nothing is loaded here, for verbs that only name them."""

from __future__ import annotations

from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "dns": "netprov.runtime.dns.service:DnsService",
    "http": "netprov.runtime.provision.service:HttpService",
    "tftp": "netprov.runtime.tftp.service:TftpService",
    "syslog": "netprov.runtime.provision.syslog:SyslogService",
    "acs": "netprov.runtime.cwmp.service:AcsService",
    "dhcp": "netprov.runtime.dhcp.service:DhcpService",
}
"""Every role of `netprov serve`, in the order they start, and the class that plays it."""
