"""Certificates: a local authority, the chains that servers present, and what a phone makes of them."""
