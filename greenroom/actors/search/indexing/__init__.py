"""Keeping what services are found by up to date."""

from greenroom.actors.search.indexing.indexer import SearchIndexer
from greenroom.actors.search.indexing.indexing import Indexing

__all__ = ["Indexing", "SearchIndexer"]
