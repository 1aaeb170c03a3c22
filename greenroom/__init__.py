"""greenroom: a self-hosted realtime server for a marketplace of lessons, built from supervised Trio actors."""

__version__ = "0.1.0"
