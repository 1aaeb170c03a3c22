"""Places: which region a text means."""
