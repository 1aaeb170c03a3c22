"""Ports of the search: places, retrieval, the index, and what was searched.

What :mod:`greenroom.storage.ports` says of errors and connections holds here too.
"""

from greenroom.storage.ports.search.alias_evidence import AliasEvidence
from greenroom.storage.ports.search.configs import SearchConfigs
from greenroom.storage.ports.search.gazetteer import Gazetteer
from greenroom.storage.ports.search.index import INDEXED_MAX, MODELS_MAX, SearchIndex, VectorCount
from greenroom.storage.ports.search.log import SearchAnalytics, SearchLog
from greenroom.storage.ports.search.places import PlaceRows, Places, RowsWithin
from greenroom.storage.ports.search.retrieval import Retrieval

__all__ = [
    "INDEXED_MAX",
    "MODELS_MAX",
    "AliasEvidence",
    "Gazetteer",
    "PlaceRows",
    "Places",
    "Retrieval",
    "RowsWithin",
    "SearchAnalytics",
    "SearchConfigs",
    "SearchIndex",
    "SearchLog",
    "VectorCount",
]
