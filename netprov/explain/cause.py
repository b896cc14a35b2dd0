"""Every reason for which a phone stays without a profile: what is wrong, and what to do.

One row a cause; `netprov explain` names the row and the evidence. The phone's own behaviour after a failure is of Cisco's
guide: category B (file not found or corrupt) and C (anything else) wait for `Resync_Error_Retry_Delay`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason; `title` is a sentence, `fix` an instruction."""

    id: str
    title: str
    fix: str


_ROWS = (
    # DHCP
    Cause(
        "dhcp-silent",
        "no DHCP server answers",
        "start the DHCP server, or let it serve this phone and its VLAN",
    ),
    Cause(
        "dhcp-unheard",
        "nothing that this phone sends has reached our DHCP server",
        "check the MAC address, the cable, the switch port, the VLAN and the relay agent",
    ),
    Cause(
        "dhcp-unserved",
        "our DHCP server hears this phone and does not answer it",
        "list the phone, or let a class or `clients:` take it in; a full network wants a larger pool",
    ),
    Cause(
        "dhcp-no-ack",
        "a DHCP server offers an address but does not confirm it",
        "look at the server's log for this MAC address; two servers with one address behave like this",
    ),
    Cause(
        "dhcp-nak",
        "the DHCP server refuses the address",
        "look for a second DHCP server, a reservation outside the subnet, or a pool that changed",
    ),
    Cause(
        "rival-dhcp",
        "another DHCP server answered first, and names no provisioning server",
        "take the other server off this network, or let it give the same options",
    ),
    Cause(
        "no-domain",
        "DHCP gives neither a provisioning option nor a domain name (option 15)",
        "set option 15 to the domain of the SRV records, or option 66, 160, 159 or 150",
    ),
    Cause("no-dns", "DHCP gives no DNS server (option 6)", "set option 6"),
    Cause(
        "option-octets",
        "a provisioning option holds raw octets where phones want text",
        "configure the option as text: the address in dotted decimal, or a URL",
    ),
    Cause(
        "option-value",
        "a provisioning option holds nothing that a phone can use",
        "write a URL, scheme://host[:port][/path], or a bare address; option 150 takes addresses of 4 octets",
    ),
    Cause(
        "option-in-header",
        "the TFTP server's name is in the header field sname, not in option 66, and phones read only the option",
        "configure option 66 itself (dnsmasq: dhcp-option=66,…, not dhcp-boot)",
    ),
    Cause(
        "tr069-off",
        "DHCP names an ACS, but TR-069 is off in this phone",
        "switch TR-069 on by a profile, or provision the phone by SRV or by option 66, 160, 159 or 150",
    ),
    # DNS
    Cause("dns-silent", "the DNS server does not answer", "start it, or correct option 6, or the firewall"),
    Cause(
        "dns-closed",
        "nothing listens on the DNS server's port 53",
        "start the DNS server, or correct option 6",
    ),
    Cause(
        "dns-refused", "the DNS server refuses to answer", "let it answer for this domain and this network"
    ),
    Cause(
        "dns-failed", "the DNS server fails (SERVFAIL)", "look at its log: a broken zone or a dead forwarder"
    ),
    Cause(
        "srv-missing",
        "there are no SRV records of the provisioning services",
        "publish _ciscoprov-https._tls (not _tcp) and _ciscoprov-http._tcp under the domain of option 15",
    ),
    Cause(
        "srv-none",
        "the SRV records say that there is no such service (target .)",
        "name a target, a host with an address record",
    ),
    Cause("target-no-address", "the SRV target has no address", "publish an A record for the target"),
    Cause(
        "host-no-address",
        "the server's name has no address",
        "publish an A record, or write the address itself",
    ),
    # Reaching a server
    Cause(
        "unreachable",
        "there is no way to the server",
        "check its address, the router (option 3) and the mask",
    ),
    Cause("port-closed", "nothing listens on the server's port", "start the server, or correct the port"),
    Cause(
        "server-silent",
        "the server does not answer",
        "check that it runs, and that no firewall drops the packets",
    ),
    Cause("tftp-silent", "the TFTP server does not answer", "start it, and let UDP port 69 through"),
    Cause("tftp-closed", "nothing listens on the TFTP port", "start the TFTP server"),
    Cause(
        "tftp-stalled",
        "the TFTP transfer begins and then stops",
        "let the server's other UDP ports through: data comes from a new port; check the MTU",
    ),
    Cause(
        "closed-early", "the server closes the connection before it has answered", "look at the server's log"
    ),
    # TLS
    Cause(
        "tls-untrusted",
        "the phone does not know the authority that signed the server's certificate",
        "a factory phone trusts no private CA: bootstrap by HTTP or TFTP with a profile that sets Custom_CA_Rule",
    ),
    Cause(
        "tls-wrong-name",
        "the server's certificate is for another name",
        "for SRV the certificate must carry the domain of option 15 itself; a wildcard does not cover it",
    ),
    Cause("tls-expired", "the server's certificate has expired", "renew it: `netprov cert renew`"),
    Cause(
        "tls-not-yet",
        "the server's certificate is not valid yet",
        "set the clocks: give phones a time server (option 42), and issue with a start in the past",
    ),
    Cause(
        "tls-version",
        "server and phone have no TLS version or cipher in common",
        "allow TLS 1.2 with ECDHE or RSA and AES on the server",
    ),
    Cause("not-tls", "the server does not speak TLS on this port", "correct the port, or the scheme"),
    Cause("not-http", "the server does not speak HTTP on this port", "correct the port, or the scheme"),
    # What a server answers
    Cause(
        "file-missing",
        "the server has none of the files that the phone asks for",
        "put the profile under one of these names: $PSN.xml, or Cisco/$PN/$MA.cfg (by SRV: Cisco/$MA.cfg)",
    ),
    Cause(
        "forbidden", "the server forbids the file", "make the file and its directories readable to the server"
    ),
    Cause(
        "unauthorized",
        "the server wants a user and a password",
        "serve the first profile without; later rules name them: [--uid … --pwd …]",
    ),
    Cause("server-error", "the server reports an error of its own", "look at the server's log"),
    Cause("bad-request", "the server refuses the request", "look at the server's log"),
    Cause("redirect", "the redirect leads nowhere", "redirect with 301 or 302 to a URL that has the profile"),
    Cause(
        "index-page",
        "the server sends a page of HTML where a profile is expected",
        "answer 404 to what is not a profile, so that the phone goes on to the next name",
    ),
    Cause(
        "encrypted",
        "the profile is encrypted and the phone has no key for it",
        "name the key: [--key …] in the rule",
    ),
    Cause("empty-file", "the file is empty", "write the profile again; a full disk leaves such files"),
    Cause(
        "corrupt", "the file is no profile", "it must be XML with <flat-profile>; `netprov profile` writes it"
    ),
    Cause(
        "tftp-refused",
        "the TFTP server refuses the file",
        "make the file readable to all, below the server's root",
    ),
    # After the first profile
    Cause(
        "ca-missing",
        "the CA that the profile names cannot be fetched",
        "serve the file that Custom_CA_Rule names",
    ),
    Cause(
        "bad-rule",
        "the profile brings a rule that the phone refuses",
        "try the rule: `netprov rule '…'`",
    ),
    Cause(
        "asked-nothing",
        "the phone has an address, but asks our servers for nothing",
        "it may have a profile from elsewhere (reset it to factory settings), or be on its way: capture its packets",
    ),
    # TR-069
    Cause(
        "acs-unreachable",
        "the ACS cannot be reached",
        "check the ACS URL in option 43 or 125, and that the ACS runs",
    ),
    Cause(
        "acs-refuses",
        "the ACS refuses the session",
        "look at the ACS's log; its user and password for phones",
    ),
    Cause(
        "acs-idle",
        "the ACS took the Inform in but had the phone load nothing",
        "queue a Download of a profile",
    ),
    # The cloud
    Cause(
        "cloud",
        "neither DHCP nor DNS names a server, and the phone waits for Cisco's cloud",
        "give it either",
    ),
)

CAUSES: Mapping[str, Cause] = {row.id: row for row in _ROWS}
"""Every cause by its id."""
