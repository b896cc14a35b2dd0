"""Virtual LANs: namespaces, links and processes that vanish with the program that made them."""
