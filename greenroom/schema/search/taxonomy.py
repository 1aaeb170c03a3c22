"""The kinds of lessons there are, and the words people use for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of lesson.

    Attributes:
        slug: names it everywhere; stable.
        group: what it is a part of: ``music``, ``languages``, ``sports`` ...
        synonyms: other words for it, or for something so close that whoever teaches the one is asked for the other.
        wording: how such lessons are typically described.
    """

    slug: str
    name: str
    group: str
    synonyms: tuple[str, ...]
    wording: str


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """
    Attributes:
        kinds: by slug, in the order of the file.
        shared: words that mean several kinds, with the weight of each; at most 1 together. They go before names and synonyms.
    """

    kinds: Mapping[str, Kind]
    shared: Mapping[str, tuple[tuple[str, float], ...]]


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """The taxonomy that comes with the package, read once.

    Raises:
        ValueError: the file names a slug twice or one that is not there, or has weights above 1.
    """
    return parse_taxonomy(resources.files("greenroom").joinpath("data/taxonomy.json").read_text("utf-8"))


def nearest_kind(text: str) -> str | None:
    """The slug of the kind that ``text`` names or nearly spells, for who misspelt it; None if none is near.

    It takes a third of a millisecond: only slugs are compared by spelling, names and other words have to be the same.
    """
    kinds, words = load_taxonomy().kinds, " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    for kind in kinds.values():
        if words == kind.name.casefold() or words in kind.synonyms:
            return kind.slug
    return next(iter(get_close_matches(words.replace(" ", "-"), kinds, n=1, cutoff=0.7)), None)


def parse_taxonomy(text: str) -> Taxonomy:
    """Read a taxonomy from JSON: ``kinds`` as records, ``shared`` as word to slugs with weights.

    Raises:
        ValueError: see :func:`load_taxonomy`.
    """
    data = json.loads(text)
    kinds: dict[str, Kind] = {}
    for row in data["kinds"]:
        kind = Kind(row["slug"], row["name"], row["group"], tuple(row["synonyms"]), row["wording"])
        if kind.slug in kinds:
            raise ValueError(f"the kind {kind.slug} is there twice")
        kinds[kind.slug] = kind
    shared = {word: tuple(weights.items()) for word, weights in data["shared"].items()}
    for word, weights in shared.items():
        if unknown := [slug for slug, _ in weights if slug not in kinds]:
            raise ValueError(f"{word} means {unknown[0]}, which is no kind")
        if not 0 < sum(weight for _, weight in weights) <= 1 + 1e-9:
            raise ValueError(f"the weights of {word} are not above 0 and at most 1 together")
    return Taxonomy(MappingProxyType(kinds), MappingProxyType(shared))
