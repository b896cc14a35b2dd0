"""What a phone is and remembers."""
