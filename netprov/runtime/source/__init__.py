"""Sources of profiles' values: whoever serves profiles asks them here."""
