"""YAML with places: from text to values and where each was written."""
