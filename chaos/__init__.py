"""Breaks a real server on purpose, and holds what its clients saw against what it promised."""
