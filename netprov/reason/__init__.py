"""Every reason that any verb gives: one index of them all."""
