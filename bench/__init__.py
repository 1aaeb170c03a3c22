"""Measures greenroom beside something else that does the same work, in the same run, on the same machine."""
