"""The TR-069 ACS on the network."""
