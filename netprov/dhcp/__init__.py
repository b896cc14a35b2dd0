"""DHCP for IPv4: codec, server, client, leases (RFC 2131, RFC 2132 and the options of phones)."""
