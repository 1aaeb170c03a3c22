"""What the search asks of the in-memory twin."""
