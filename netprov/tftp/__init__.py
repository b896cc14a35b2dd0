"""TFTP, both roles: RFC 1350 with options (2347, 2348, 2349, 7440)."""
