"""DHCP options: their table, their values, options inside options."""
