"""Searching: from a sentence to bookable instructors, inside a budget. Each request is an actor of its own."""
