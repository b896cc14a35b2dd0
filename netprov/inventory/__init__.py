"""The operator's YAML: its model, its loader."""
