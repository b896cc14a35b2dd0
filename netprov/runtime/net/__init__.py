"""Sockets, batches of datagrams, pollers, frames, and who is on the link."""
