"""DNS: authoritative answers from frozen zones, transfers to secondaries, forwarding, and a stub resolver."""
