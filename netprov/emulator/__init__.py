"""The emulated phone's pump: sockets for the road."""
