"""Learning what people call places, from what they open after a search that was not sure of one."""
