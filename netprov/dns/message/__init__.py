"""DNS messages: names, types, record data, queries, replies."""
