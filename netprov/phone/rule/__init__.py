"""Rules: their grammar, conditions and URLs."""
