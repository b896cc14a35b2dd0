"""Accepted connections, TLS and handshakes: what every web server here stands on."""
