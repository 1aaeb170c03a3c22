"""What to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What to look at. Without an order and filters: the tree, to ``depth``; else the ``limit`` that stand out."""

    depth: int = 4
    sort: str | None = None
    limit: int = 20
    kind: str | None = None
    state: str | None = None
    key_prefix: str = ""

    @property
    def is_ranked(self) -> bool:
        return self.sort is not None or self.kind is not None or self.state is not None or self.key_prefix != ""
