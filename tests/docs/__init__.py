"""The pages: what they print works."""
