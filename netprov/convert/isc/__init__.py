"""Configurations of the servers of ISC, dhcpd and Kea, read into a draft."""
