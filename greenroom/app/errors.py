"""What keeps a server from starting."""

from __future__ import annotations


class CannotStart(Exception):
    """A setting that can't be used here: an address that is taken, a folder that can't be written."""
