"""What is kept of searches, beside them and never in their way."""
