"""A phone's life after power-up: what falls due, what others do to it, what it shows."""
