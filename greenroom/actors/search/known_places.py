"""Names of places, as a sentence may have them anywhere."""

from __future__ import annotations

from greenroom.schema.search.place_names import normal_place_name


class KnownPlaces:
    """Names of places, as a sentence may have them without "in" or "near" before."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()

    def take(self, names: frozenset[str]) -> bool:
        """Go by these from now on; False if they are those that were known."""
        if names == self._names:
            return False
        self._names = names
        return True

    def __call__(self, words: tuple[str, ...]) -> bool:
        return normal_place_name(" ".join(words)) in self._names

    def __len__(self) -> int:
        return len(self._names)
