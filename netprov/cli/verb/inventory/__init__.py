"""Verbs about the inventory: what it says, what follows from it, where it comes from."""
