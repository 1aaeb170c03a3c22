"""What the search asks of Postgres."""
