"""Verbs that need no phone: emulated ones, on virtual LANs."""
