"""What a search is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from greenroom.schema.ids import UserId
from greenroom.schema.search.places import Point, RegionId


@dataclass(frozen=True, slots=True)
class Overrides:
    """What an admin may switch off for one request, to see what difference it makes."""

    skip_tier4: bool = False
    skip_tier5: bool = False
    skip_embedding: bool = False
    skip_vector: bool = False
    simulate_high_load: bool = False

    @property
    def is_any(self) -> bool:
        return self != Overrides()


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """
    Attributes:
        text: as it was typed, 1 to 300 characters.
        city: only instructors of this one; None for any.
        near: where the asker is; measures distances and decides the city where the sentence names no place.
        after: where the page before ended; None for the first page.
        wants_diagnostics: told with the answer; they are kept for operators in any case.
    """

    user_id: UserId
    text: str
    city: RegionId | None = None
    near: Point | None = None
    limit: int = 20
    after: str | None = None
    wants_diagnostics: bool = False
    overrides: Overrides = field(default_factory=Overrides)

    def fingerprint(self, normal_text: str) -> str:
        """What makes two searches the same, the page aside."""
        # About a hundred metres: two people in one street share an answer.
        near = None if self.near is None else (round(self.near.lat, 3), round(self.near.lng, 3))
        told = repr((normal_text, self.city, near, self.overrides))
        return blake2b(told.encode(), digest_size=12).hexdigest()
