"""One fetch: from a URL to applied parameters."""
