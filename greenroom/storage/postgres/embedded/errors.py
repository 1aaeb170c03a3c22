"""What can go wrong with the embedded server; for whoever starts greenroom, not for its users."""

from __future__ import annotations


class EmbeddedPostgresFailed(Exception):
    """The embedded server could not be started, or not be kept running."""


class DataFolderInUse(EmbeddedPostgresFailed):
    """Another live process holds the data folder; nothing was touched."""
