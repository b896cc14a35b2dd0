"""Zones: frozen, read from master files, looked up, compared."""
