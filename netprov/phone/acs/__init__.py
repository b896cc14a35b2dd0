"""TR-069 on the phone: its client, and what its sessions lead to."""
