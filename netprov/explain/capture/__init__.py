"""Packet captures, read as the boots of phones."""
