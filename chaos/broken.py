"""What ends a scenario at once."""

from __future__ import annotations


class PromiseBroken(Exception):
    """The server did what no ledger shows: it did not stop in time, was gone, answered nothing."""
