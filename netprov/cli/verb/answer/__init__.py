"""Verbs about what phones are told, and what it means."""
