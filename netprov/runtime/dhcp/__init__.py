"""The DHCP service."""
