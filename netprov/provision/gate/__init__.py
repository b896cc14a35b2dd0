"""The gate before profiles and keys: what a class demands, who is given what opens a profile, how profiles are protected."""
