"""Registries of DNS as IANA keeps them, names as it prints them."""
