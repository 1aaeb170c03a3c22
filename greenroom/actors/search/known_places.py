"""Names of places, as a sentence may have them anywhere."""

from __future__ import annotations

from greenroom.schema.search.place_names import compact, normal_place_name


class KnownPlaces:
    """Names of places, as a sentence may have them without "in" or "near" before."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._compact: frozenset[str] = frozenset()

    def take(self, names: frozenset[str]) -> bool:
        """Go by these from now on; False if they are those that were known."""
        if names == self._names:
            return False
        self._names = names
        # Of a name in words as it is run together: "lakeview", "southbank". Two words run together are not one: "chi na".
        self._compact = frozenset(compact(name) for name in names if " " in name)
        return True

    def __call__(self, words: tuple[str, ...]) -> bool:
        name = normal_place_name(" ".join(words))
        return name in self._names or (len(words) == 1 and name in self._compact)

    def __len__(self) -> int:
        return len(self._names)
