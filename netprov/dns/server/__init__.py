"""What an authoritative server does with a query."""
