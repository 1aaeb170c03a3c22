"""The figures of the first stage: how words are weighed, when a likeness of meaning counts, how the legs are mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from greenroom.schema.search_settings import SearchSettings

K1: Final = 1.2
B: Final = 0.75
"""BM25's: how soon more of the same word stops to matter, and how much a text's length does. Lucene's defaults, in the range that
the authors found good on most collections. Source: S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and
Beyond", Foundations and Trends in Information Retrieval 3 (2009), sections 3.4 and 3.6."""

HEAD_WEIGHT: Final = 3.0
TITLE_WEIGHT: Final = 3.0
CATEGORY_WEIGHT: Final = 2.0
DESCRIPTION_WEIGHT: Final = 1.0
"""An occurrence counts as so many: weighted before saturation, which keeps a word in two fields from counting twice as much as in
one. Source: S. Robertson, H. Zaragoza, M. Taylor, "Simple BM25 Extension to Multiple Weighted Fields", CIKM 2004. The head of a title
counts so much more: of "massage chairs" and "chair accessories" the former are chairs. Chosen on one half of WANDS' queries."""

SPREAD_MIN: Final = 0.2
"""What a leg's best score is above its worst, as a share of the best, is taken for at least this. Scores that are nearly all the same
would else be stretched until a hair's breadth between two counted as much as whether they are of the kind that was meant."""

LEG_DEPTH: Final = 200
"""Services that each leg hands on, whatever the page's size."""

COARSE_DEPTH: Final = 1_000
"""Services whose vectors are compared exactly, after a coarse look at all. Of 35,000 texts it holds 99 % of the nearest ten and 95 %
of the nearest fifty; among fewer services than this it is exact."""

TIMED_DEPTH: Final = 4_000
"""Of the nearest in this coarse look: where a time is asked for, so many are asked for theirs, until COARSE_DEPTH have it."""

SIMILARITY_MIN: Final = 0.4
"""Trigrams that a misspelt word has in common with the word that is meant: one letter of seven wrong leaves about so many."""

SIMILAR_LENGTH_MIN: Final = 4
SIMILAR_MAX: Final = 3
"""Shorter words are similar to everything; and one word is hardly ever meant as more than three."""


QUALITY_MEAN: Final = 4.2
QUALITY_COUNT: Final = 5
"""What a rating is drawn to: as if this many more had given this mean. One rating of five stars doesn't beat forty of 4.9. Five are
about what it takes until ratings say more of an instructor than of who happened to rate; the mean is what ratings of marketplaces lie
around. Source of the form: the posterior mean under a conjugate prior, known as the Bayesian average."""


def quality(rating: float, count: int) -> float:
    """The mean of ``count`` ratings, drawn to the middle where there are few."""
    return (rating * count + QUALITY_MEAN * QUALITY_COUNT) / (count + QUALITY_COUNT)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievalRules:
    """
    Attributes:
        strong_score: text scores from here on count as hits of :class:`~greenroom.schema.search.candidates.TextStrength`.
        words_suffice_score: where the best text score is at least this, words describe what is there well enough, and what has
            none of the words is not let in for its meaning.
        other_kind_share: where a kind is meant, what is of another kind has to reach this share of the best text score or of the best
            cosine. Over the 110 searches that rules of understanding are tried on, 0.75 leaves one in eight of the lessons that have
            nothing to do with what was asked, and over half of those of its kind and kindred ones.
        vector_weight, category_weight: shares of these legs in the mix where all three say something; the text has the rest. Words and
            meaning count the same: the development half of our lessons would have meaning count for 0.6, long texts for 0.3.
        cosine_floors: by the beginning of the model's name; below, a service without any of the words is not let in. For the local
            model it is what one in twenty pairs of the development half reaches that have nothing to do with each other.
        kindred_floors: the same, of what the nearest has to reach for anything to be let in for its meaning where a kind is meant. Of the
            taxonomy's kinds, asked for as :func:`~greenroom.actors.search.understanding.meaning.meaning_text` does, 99 % are as near to
            themselves, one pair in a thousand of two groups is.
        unknown_floors: the same where no kind is meant and no text has a word that is anything like one of the sentence's. Of
            words of letters at random half have no vector of the local model; one in ten finds anything among our lessons.
    """

    strong_score: float = 0.60
    words_suffice_score: float = 0.45
    other_kind_share: float = 0.75
    vector_weight: float = 0.4
    category_weight: float = 0.2
    cosine_floors: Mapping[str, float] = field(
        default_factory=lambda: {"wordllama": 0.20, "text-embedding-3": 0.30}
    )

    kindred_floors: Mapping[str, float] = field(default_factory=lambda: {"wordllama": 0.45})

    unknown_floors: Mapping[str, float] = field(default_factory=lambda: {"wordllama": 0.25})

    def cosine_floor(self, model: str | None) -> float:
        """0.0 for a model nobody has set one for."""
        return _of_model(self.cosine_floors, model)

    def kindred_floor(self, model: str | None) -> float:
        """0.0 for a model nobody has set one for."""
        return _of_model(self.kindred_floors, model)

    def unknown_floor(self, model: str | None) -> float:
        """0.0 for a model nobody has set one for."""
        return _of_model(self.unknown_floors, model)

    @classmethod
    def from_settings(cls, settings: SearchSettings) -> RetrievalRules:
        return cls(
            strong_score=settings.nl_search_text_skip_vector_score_threshold,
            words_suffice_score=settings.nl_search_text_require_text_match_score_threshold,
        )


def _of_model(floors: Mapping[str, float], model: str | None) -> float:
    return next((floor for name, floor in floors.items() if (model or "").startswith(name)), 0.0)
