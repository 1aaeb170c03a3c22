"""The second stage: what else speaks for a lesson than that it fits the words, for the best few; and in which order all are shown."""

from greenroom.actors.search.ranking.second_stage import rank

__all__ = ["rank"]
