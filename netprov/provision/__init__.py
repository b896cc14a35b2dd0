"""Provisioning: what a phone may ask for and what it gets; macros, profiles, encryption, reports. Pure."""
