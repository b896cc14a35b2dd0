"""The TFTP service."""
