"""Times and names as a terminal shows them."""

from __future__ import annotations


def duration(ms: float | None) -> str:
    """A length of time in few characters; empty for None."""
    if ms is None:
        return ""
    for unit, length, limit in (("ms", 1.0, 1e3), ("s", 1e3, 12e4), ("min", 6e4, 72e5)):
        if ms < limit:
            value = ms / length
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{ms / 36e5:.0f} h"


def plain(text: str) -> str:
    """Text that leaves the terminal as it is, whatever a server sends."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    )
