"""An estimate of what a message weighs, for mailboxes bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

# What any object costs on top of its text: about a slotted instance and its place in the queue.
OVERHEAD_BYTES = 64
_DEPTH_MAX = 4


def approximate_bytes(message: object, depth: int = _DEPTH_MAX) -> int:
    """Bytes of text and binary data in a message, plus a fixed overhead per object.

    Looks ``depth`` levels into dataclasses, mappings and collections; what lies deeper counts as one object. Text
    counts a byte per character: the bound is there to stop a flood, not to bill for it.
    """
    if isinstance(message, str | bytes | bytearray):
        return OVERHEAD_BYTES + len(message)
    if depth == 0:
        return OVERHEAD_BYTES
    parts: Iterable[object] = ()
    if is_dataclass(message):
        parts = (getattr(message, part.name) for part in fields(message))
    elif isinstance(message, Mapping):
        parts = (part for item in message.items() for part in item)
    elif isinstance(message, list | tuple | set | frozenset):
        parts = message
    return OVERHEAD_BYTES + sum(approximate_bytes(part, depth - 1) for part in parts)
