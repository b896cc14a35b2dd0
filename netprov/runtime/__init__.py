"""Pumps: the few lines that join a machine or responder to a socket, a clock, a disk."""
