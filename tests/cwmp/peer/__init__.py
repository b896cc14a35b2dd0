"""Peers of CWMP that share no code with ours."""
