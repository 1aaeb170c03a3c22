from __future__ import annotations

import json

import pytest

from greenroom.schema.search.taxonomy import load_taxonomy, nearest_kind, parse_taxonomy


def test_no_word_stands_for_two_kinds_unless_it_is_shared_by_weight() -> None:
    taxonomy = load_taxonomy()
    owners: dict[str, str] = {}
    for kind in taxonomy.kinds.values():
        for name in {kind.name.casefold(), *kind.synonyms} - set(taxonomy.shared):
            assert owners.setdefault(name, kind.slug) == kind.slug, name


def test_every_kind_can_be_described() -> None:
    kinds = load_taxonomy().kinds.values()

    assert len(kinds) >= 200
    assert all(kind.synonyms and kind.wording and kind.group for kind in kinds)


def _file(*, slugs: list[str], shared: dict[str, dict[str, float]]) -> str:
    kinds = [{"slug": slug, "name": slug, "group": "g", "synonyms": [], "wording": ""} for slug in slugs]
    return json.dumps({"kinds": kinds, "shared": shared})


@pytest.mark.parametrize(
    "text",
    [
        _file(slugs=["piano", "piano"], shared={}),
        _file(slugs=["piano"], shared={"keys": {"keyboard": 1.0}}),
        _file(slugs=["piano"], shared={"keys": {"piano": 1.1}}),
    ],
)
def test_a_taxonomy_that_contradicts_itself_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"twice|no kind|weights"):
        parse_taxonomy(text)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("guitare", "guitar"),
        ("Piano", "piano"),
        ("pianoforte", "piano"),
        ("Bass Guitar", "bass-guitar"),
        ("quantum", None),
    ],
)
def test_who_misspells_a_kind_is_told_the_nearest(text: str, slug: str | None) -> None:
    assert nearest_kind(text) == slug
