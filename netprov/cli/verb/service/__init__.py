"""Verbs about services that run, and what they keep."""
