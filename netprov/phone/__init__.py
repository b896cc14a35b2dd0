"""The phone: what a Cisco multiplatform phone does from power-up to a profile, without input or output."""
