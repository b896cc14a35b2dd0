"""dnsmasq.conf, read into a draft."""
