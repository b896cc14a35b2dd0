"""Every reason for which a phone stays without a profile, as `netprov explain` names it beside the evidence.

The phone's own behaviour after a failure is of Cisco's guide: category B (file not found or corrupt) and C (anything
else) wait for `Resync_Error_Retry_Delay`.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.errors import Reason


def _because(cause: str, title: str, why: str, remedy: str) -> Reason:
    return Reason(cause, "error", why, remedy, title)


CAUSE_FAMILIES: Mapping[str, tuple[Reason, ...]] = {
    "A lease": (
        _because(
            "dhcp-silent",
            "no DHCP server answers",
            "A phone without an address can ask nobody for anything; it repeats its DISCOVER for ever.",
            "start the DHCP server, or let it serve this phone and its VLAN",
        ),
        _because(
            "dhcp-unheard",
            "nothing that this phone sends has reached our DHCP server",
            "Our DHCP server keeps a record of every client that it hears; of this one there is none, so its requests end somewhere on the way.",
            "check the MAC address, the cable, the switch port, the VLAN and the relay agent",
        ),
        _because(
            "dhcp-unserved",
            "our DHCP server hears this phone and does not answer it",
            "A staging LAN serves phones only, and only from the addresses it has; who is not served gets no answer at all.",
            "list the phone, or let a class or `clients:` take it in; a full network wants a larger pool",
        ),
        _because(
            "dhcp-no-ack",
            "a DHCP server offers an address but does not confirm it",
            "The phone took an offer, and the server that made it did not confirm: it may be another server with the same address, or a pool that is shared.",
            "look at the server's log for this MAC address; two servers with one address behave like this",
        ),
        _because(
            "dhcp-nak",
            "the DHCP server refuses the address",
            "The phone asked for an address that the server does not grant it on this network, and starts anew (RFC 2131 4.3.2).",
            "look for a second DHCP server, a reservation outside the subnet, or a pool that changed",
        ),
        _because(
            "rival-dhcp",
            "another DHCP server answered first, and names no provisioning server",
            "A phone takes the first offer. The options of the other server are lost, and with them where to provision from.",
            "take the other server off this network, or let it give the same options",
        ),
        _because(
            "no-domain",
            "DHCP gives neither a provisioning option nor a domain name (option 15)",
            "Without an option that names a server, a phone looks up SRV records under the domain of option 15; without that it has nothing to look up.",
            "set option 15 to the domain of the SRV records, or option 66, 160, 159 or 150",
        ),
        _because(
            "no-dns",
            "DHCP gives no DNS server (option 6)",
            "SRV records and host names are asked of the servers of option 6; without one the phone asks nobody.",
            "set option 6",
        ),
        _because(
            "option-octets",
            "a provisioning option holds raw octets where phones want text",
            "Options 66, 159 and 160 are text (RFC 2132 9.4); a phone cannot read an address of four octets there.",
            "configure the option as text: the address in dotted decimal, or a URL",
        ),
        _because(
            "option-value",
            "a provisioning option holds nothing that a phone can use",
            "The option is there, so that it was meant, and the phone can make neither an address nor a URL of it.",
            "write a URL, scheme://host[:port][/path], or a bare address; option 150 takes addresses of 4 octets",
        ),
        _because(
            "option-odd",
            "an option is not made as the RFC and phones want it",
            "Phones differ in what they make of a NUL, a blank, quotation marks or wrong lengths in an option.",
            "correct the option on the DHCP server; `netprov decode` shows its octets",
        ),
        _because(
            "option-in-header",
            "the TFTP server's name is in the header field sname, not in option 66, and phones read only the option",
            "BOOTP's header field sname is for the server's own name; phones take their provisioning server from the option alone.",
            "configure option 66 itself (dnsmasq: dhcp-option=66,…, not dhcp-boot)",
        ),
        _because(
            "tr069-off",
            "DHCP names an ACS, but TR-069 is off in this phone",
            "A phone holds sessions with an ACS only where TR-069 is on; otherwise options 43 and 125 say nothing to it.",
            "switch TR-069 on by a profile, or provision the phone by SRV or by option 66, 160, 159 or 150",
        ),
    ),
    "Names": (
        _because(
            "dns-silent",
            "the DNS server does not answer",
            "Every step after DHCP begins with a question to DNS.",
            "start it, or correct option 6, or the firewall",
        ),
        _because(
            "dns-closed",
            "nothing listens on the DNS server's port 53",
            "The machine that option 6 names is there and answers by ICMP that nobody listens.",
            "start the DNS server, or correct option 6",
        ),
        _because(
            "dns-refused",
            "the DNS server refuses to answer",
            "The server answers, but not for this name or this client (RCODE REFUSED).",
            "let it answer for this domain and this network",
        ),
        _because(
            "dns-failed",
            "the DNS server fails (SERVFAIL)",
            "The server knows of the zone and cannot answer from it.",
            "look at its log: a broken zone or a dead forwarder",
        ),
        _because(
            "srv-missing",
            "there are no SRV records of the provisioning services",
            "The phone asked for the SRV records of both services and got none; there is no other way by which it would find the server.",
            "publish _ciscoprov-https._tls (not _tcp) and _ciscoprov-http._tcp under the domain of option 15",
        ),
        _because(
            "srv-no-service",
            "the SRV records say that there is no such service (target .)",
            "A target of `.` says that the service is decidedly not offered (RFC 2782).",
            "name a target, a host with an address record",
        ),
        _because(
            "target-no-address",
            "the SRV target has no address",
            "The SRV record names a target, and DNS has no address for it.",
            "publish an A record for the target",
        ),
        _because(
            "host-no-address",
            "the server's name has no address",
            "The name in the option, the rule or the redirect has no address.",
            "publish an A record, or write the address itself",
        ),
    ),
    "Reaching a server": (
        _because(
            "elsewhere",
            "the phone is led to a server that is not of this inventory",
            "Whether that server answers, and what it has for the phone, no line of the inventory says.",
            "`netprov doctor` asks it as the phone would; a capture shows what the phone was answered",
        ),
        _because(
            "unreachable",
            "there is no way to the server",
            "No packet reaches the address: nobody answers ARP for it, or a router says so.",
            "check its address, the router (option 3) and the mask",
        ),
        _because(
            "port-closed",
            "nothing listens on the server's port",
            "The machine is there and refuses the connection.",
            "start the server, or correct the port",
        ),
        _because(
            "server-silent",
            "the server does not answer",
            "The connection, or the request on it, gets no answer.",
            "check that it runs, and that no firewall drops the packets",
        ),
        _because(
            "tftp-silent",
            "the TFTP server does not answer",
            "A read request gets no answer, not even an error.",
            "start it, and let UDP port 69 through",
        ),
        _because(
            "tftp-closed",
            "nothing listens on the TFTP port",
            "The machine is there and answers by ICMP that nobody listens.",
            "start the TFTP server",
        ),
        _because(
            "tftp-stalled",
            "the TFTP transfer begins and then stops",
            "TFTP sends its data from a port of its own; a firewall that lets only port 69 through stops the transfer there.",
            "let the server's other UDP ports through: data comes from a new port; check the MTU",
        ),
        _because(
            "closed-early",
            "the server closes the connection before it has answered",
            "The connection was accepted and then cut without an HTTP answer.",
            "look at the server's log",
        ),
    ),
    "TLS": (
        _because(
            "tls-untrusted",
            "the phone does not know the authority that signed the server's certificate",
            "The chain does not end in a root that the phone has.",
            "a factory phone trusts no private CA: bootstrap by HTTP or TFTP with a profile that sets Custom_CA_Rule",
        ),
        _because(
            "tls-wrong-name",
            "the server's certificate is for another name",
            "The phone compares the certificate with the domain of DHCP for SRV, else with the host of the URL.",
            "for SRV the certificate must carry the domain of option 15 itself; a wildcard does not cover it",
        ),
        _because(
            "tls-expired",
            "the server's certificate has expired",
            "Phones refuse expired certificates.",
            "renew it: `netprov cert renew`; an imported one is got anew where it came from, and imported again",
        ),
        _because(
            "tls-not-yet",
            "the server's certificate is not valid yet",
            "Phones refuse certificates that begin in the future; a phone that does not know the time starts long ago.",
            "set the clocks: give phones a time server (option 42), and issue with a start in the past",
        ),
        _because(
            "tls-version",
            "server and phone have no TLS version or cipher in common",
            "The handshake ends before any certificate is judged.",
            "allow TLS 1.2 with ECDHE or RSA and AES on the server",
        ),
        _because(
            "tls-rejected",
            "the phone refuses the server's certificate, and its alert does not say why",
            "The alert bad_certificate stands for a wrong name, a wrong signature and more; the certificate was not seen.",
            "compare the certificate's names, dates and issuer with what the phone has: `netprov doctor` does",
        ),
        _because(
            "client-certificate",
            "the server demands a certificate that the phone does not have",
            "With `client_certificates: required` the handshake ends without a certificate of an authority that the "
            "server believes.",
            "set `client_certificates: optional`, or name the authority of the phones' certificates under `client_roots:`",
        ),
        _because(
            "not-tls",
            "the server does not speak TLS on this port",
            "The phone began a TLS handshake, and what came back is none.",
            "correct the port, or the scheme",
        ),
        _because(
            "not-http",
            "the server does not speak HTTP on this port",
            "The phone spoke HTTP, and what came back is none.",
            "correct the port, or the scheme",
        ),
    ),
    "What a server answers": (
        _because(
            "wrong-key",
            "the profile is encrypted, and the phone's key does not open it",
            "A rule or a parameter gave the phone a key; it is of another secret, another digest or another file.",
            "encrypt it with the key that the phone has; `netprov profile decrypt` tries a key",
        ),
        _because(
            "file-missing",
            "the server has none of the files that the phone asks for",
            "The server answers, and has no file by any of the names that the phone asked for.",
            "put the profile under one of these names: $PSN.xml, or Cisco/$PN/$MA.cfg (by SRV: Cisco/$MA.cfg)",
        ),
        _because(
            "forbidden",
            "the server forbids the file",
            "The server has an answer of 403 for this file: its permissions, or a rule of the server.",
            "make the file and its directories readable to the server",
        ),
        _because(
            "key-locked",
            "the key of its profile was given before, and is given once",
            "Under `keys: {policy: once}` a key leaves at the first fetch, and for the length of its window again to the same address. "
            "A phone that lost it since (a factory reset, another address) is refused; so is it if somebody else came first.",
            "`netprov phones show PHONE` tells who was given it; if that was the phone, `netprov phones unlock PHONE`; if not, "
            "change its key first (a line with its MAC address in the secrets file)",
        ),
        _because(
            "key-sender",
            "the key of its profile is not given to this sender",
            "The policy of keys wants more than the sender shows: the phone's own address, a lease at a named port, or its client "
            "certificate.",
            "let the phone come with what the policy wants (`netprov check` says what that is), or choose another under `keys:`",
        ),
        _because(
            "key-never",
            "the key of its profile is given to nobody over the network",
            "Under `keys: {policy: never}` keys are entered by hand.",
            "`netprov profile key PHONE` prints it for the phone's Profile_Rule; or choose another policy under `keys:`",
        ),
        _because(
            "key-unrecorded",
            "the key of its profile could not be put on record, so it was not given",
            "A key leaves only once the record of it is on disk.",
            "look at the server's log: the disk may be full, or the state directory not writable",
        ),
        _because(
            "demand-sender",
            "its class demands more of who asks for the profile than the sender shows",
            "What `demand:` or `client_certificates: required` wants holds on every road: by TFTP and HTTP nobody shows a "
            "certificate, and an address counts only if it is the phone's.",
            "let the phone come by HTTPS with its certificate, or from its own address or port; or demand less under `demand:`",
        ),
        _because(
            "demand-hours",
            "its class gives profiles at certain hours only",
            "`demand: {hours: …}` goes by the server's clock.",
            "start the phone within these hours, or change them",
        ),
        _because(
            "source-failed",
            "a source that its profile has values from fails",
            "No answer in time, an error, or no way there. The phone was told to come again (503, or a TFTP error): a profile with "
            "holes would blank what it has.",
            "the detail says what failed: mend the source, or allow older answers with `stale:`; "
            "`netprov profile render PHONE` asks it as the server does",
        ),
        _because(
            "source-answer",
            "a source that its profile has values from answers with nothing that can be used",
            "No row for this phone or several, no JSON object, a value of a kind that no parameter takes, or none of the name that "
            "the template writes.",
            "correct the data, the query or the template; `netprov profile render PHONE` asks it as the server does",
        ),
        _because(
            "source-unasked",
            "its profile has values of a source, and what that says is not known here",
            "An inventory says where values are kept, and not what they are: whether the phone gets its profile shows when it asks.",
            "`netprov profile render PHONE` asks the source as the server does; `netprov phones show PHONE` tells what was",
        ),
        _because(
            "unauthorized",
            "the server wants a user and a password",
            "A phone fresh from the box has neither user nor password for a server.",
            "serve the first profile without; later rules name them: [--uid … --pwd …]",
        ),
        _because(
            "server-error",
            "the server reports an error of its own",
            "The server answers with a status of 500 or more.",
            "look at the server's log",
        ),
        _because(
            "bad-request",
            "the server refuses the request",
            "The server answers with a status of 400 or more that no phone can do anything about.",
            "look at the server's log",
        ),
        _because(
            "redirect",
            "the redirect leads nowhere",
            "Phones follow 301 and 302 with a Location, a few times in a row; other redirects end the attempt.",
            "redirect with 301 or 302 to a URL that has the profile",
        ),
        _because(
            "index-page",
            "the server sends a page of HTML where a profile is expected",
            "A web server that answers everything with a page keeps the phone from trying the next name.",
            "answer 404 to what is not a profile, so that the phone goes on to the next name",
        ),
        _because(
            "encrypted",
            "the profile is encrypted and the phone has no key for it",
            "The file is encrypted, and neither a rule nor a parameter has given the phone a key.",
            "name the key: [--key …] in the rule",
        ),
        _because(
            "empty-file",
            "the file is empty",
            "The file came, without a single octet.",
            "write the profile again; a full disk leaves such files",
        ),
        _because(
            "corrupt",
            "the file is no profile",
            "The file came, and is not the XML that phones read.",
            "it must be XML with <flat-profile>; `netprov profile` writes it",
        ),
        _because(
            "tftp-refused",
            "the TFTP server refuses the file",
            "The TFTP server answers with an error that is not `file not found`.",
            "make the file readable to all, below the server's root",
        ),
    ),
    "After the first profile": (
        _because(
            "ca-missing",
            "the CA that the profile names cannot be fetched",
            "Without the CA the phone cannot verify the HTTPS server that the same profile leads it to.",
            "serve the file that Custom_CA_Rule names",
        ),
        _because(
            "bad-rule",
            "the profile brings a rule that the phone refuses",
            "The phone loaded the profile, and the rule in it leads nowhere: it is logged and the resync has failed.",
            "try the rule: `netprov rule '…'`",
        ),
        _because(
            "activation",
            "the profile's rule opens the activation code screen, and no code led to a profile",
            "`gds://` asks the person at the phone for a code, which Cisco's cloud turns into a profile.",
            "name a URL in Profile_Rule instead, or have a code ready",
        ),
        _because(
            "rule-circle",
            "the profiles name each other in a circle",
            "A phone follows a new Profile_Rule of each profile it loads, and gives up after a few.",
            "let the last profile keep the Profile_Rule by which it was loaded, or none",
        ),
        _because(
            "asked-no-more",
            "the phone has its first profile, and has not asked for the next",
            "The first profile names another by its Profile_Rule; a request for that is not on record here.",
            "look at what Profile_Rule names, and whether the phone can reach it; capture its packets",
        ),
        _because(
            "not-captured",
            "the capture does not hold what would tell",
            "What is not in a capture was not sent, or was not captured: its filter left it out, or it was taken where "
            "not everything passes.",
            "capture with the filter 'ip or arp' while the phone starts",
        ),
        _because(
            "asked-nothing",
            "the phone has an address, but asks our servers for nothing",
            "Lookups of DNS leave no record here, so that what kept the phone cannot be told from the records.",
            "it may have a profile from elsewhere (reset it to factory settings), or be on its way: capture its packets",
        ),
    ),
    "An ACS": (
        _because(
            "acs-unreachable",
            "the ACS cannot be reached",
            "The phone does what the ACS tells it, and reached none.",
            "check the ACS URL in option 43 or 125, and that the ACS runs",
        ),
        _because(
            "acs-refuses",
            "the ACS refuses the session",
            "The ACS answered, and did not hold the session.",
            "look at the ACS's log; its user and password for phones",
        ),
        _because(
            "acs-idle",
            "the ACS took the Inform in but had the phone load nothing",
            "The session was held, and the ACS asked for no download.",
            "queue a Download of a profile",
        ),
    ),
    "The cloud": (
        _because(
            "cloud",
            "neither DHCP nor DNS names a server, and the phone waits for Cisco's cloud",
            "With nothing to go by on the LAN, the phone asks Cisco's redirect service, and then shows the activation code screen.",
            "give it either",
        ),
    ),
}
"""The causes in the order of a phone's way; `title` is a sentence, `remedy` an instruction."""

CAUSES: Mapping[str, Reason] = {each.id: each for rows in CAUSE_FAMILIES.values() for each in rows}
"""Every cause by its id."""
