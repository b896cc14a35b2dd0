"""Attacks from one host of the staging LAN, each kept as a test, with honest phones living beside it where that says more.

docs/security.md has a row for each kind, and says what is not repelled yet.
"""
