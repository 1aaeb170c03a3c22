"""How what the legs say is mixed."""

from __future__ import annotations

from dataclasses import replace

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import HardFilters, RetrievalQuery
from greenroom.storage.retrieval.fusion import Found, admitted, fuse
from greenroom.storage.retrieval.rules import RetrievalRules
from tests.storage.builders import NOW


def test_the_kind_that_was_meant_counts_more_than_a_hairs_breadth_between_words() -> None:
    found = [
        Found(ServiceId("truck driving"), text=0.91, cosine=None, category=0.0, quality=5.0),
        Found(ServiceId("driving"), text=0.90, cosine=None, category=0.8, quality=4.0),
        Found(ServiceId("driving too"), text=0.89, cosine=None, category=0.8, quality=4.0),
    ]

    fused = fuse(found, RetrievalRules())

    assert [each.found.service_id for each in fused] == ["driving", "driving too", "truck driving"]


def test_no_score_leaves_its_bounds() -> None:
    cosines = (-0.2, -0.1, 0.0, None)
    found = [Found(ServiceId(str(n)), None, cosine, 0.0, 4.0) for n, cosine in enumerate(cosines)]

    assert [each.score for each in fuse(found, RetrievalRules())] == [1.0, 0.5, 0.0, 0.0]


def test_where_nobody_gives_the_lessons_that_are_meant_others_are_shown_only_if_they_are_near() -> None:
    query = RetrievalQuery("dj", (("dj", 1.0),), HardFilters(), (1.0, 0.0), "wordllama-256", None, NOW)

    def shown(cosine: float) -> list[Found]:
        dance = Found(ServiceId("dance"), text=None, cosine=cosine, category=0.0, quality=4.0)
        return admitted([dance], query, best_text=0.0, rules=RetrievalRules())

    assert shown(0.4) == []
    assert len(shown(0.5)) == 1


def test_to_what_no_text_has_a_word_of_only_the_near_is_an_answer() -> None:
    def shown(text: str, *, cosine: float, best_text: float = 0.0) -> int:
        query = RetrievalQuery(text, (), HardFilters(), (1.0, 0.0), "wordllama-256", None, NOW)
        judo = Found(ServiceId("judo"), text=None, cosine=cosine, category=0.0, quality=4.0)
        return len(admitted([judo], query, best_text=best_text, rules=RetrievalRules()))

    assert shown("qwixotl", cosine=0.22) == 0
    assert shown("use a smartphone", cosine=0.29) == 1
    assert shown("relax", cosine=0.22, best_text=0.4) == 1


def test_a_word_in_common_is_no_answer_where_nothing_is_near_in_meaning() -> None:
    def shown(*, text: float, cosine: float, **changes: object) -> int:
        plain = RetrievalQuery("kill neighbour", (), HardFilters(), (1.0, 0.0), "wordllama-256", None, NOW)
        korean = Found(ServiceId("for new neighbours"), text=text, cosine=cosine, category=0.0, quality=4.0)
        query = replace(plain, **changes)  # type: ignore[arg-type]
        return len(admitted([korean], query, best_text=text, rules=RetrievalRules()))

    assert shown(text=0.4, cosine=0.19) == 0
    assert shown(text=0.4, cosine=0.21) == 1
    assert shown(text=0.5, cosine=0.19) == 1
    assert shown(text=0.4, cosine=0.0, vector=None, model=None) == 1
