"""Measurements of the search against data of others, given by path: nothing of theirs is kept here."""
