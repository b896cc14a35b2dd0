"""Other servers' configurations and phone lists, read into a draft of an inventory, with what could not be carried."""
