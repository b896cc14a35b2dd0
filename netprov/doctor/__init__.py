"""Asks running services as a phone would."""
