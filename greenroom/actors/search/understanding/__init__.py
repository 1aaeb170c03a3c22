"""What a sentence asks for: rules that read it in well under a millisecond, without a model and without I/O."""

from greenroom.actors.search.understanding.merging import merged
from greenroom.actors.search.understanding.parse_cache import ModelFailed, ParseCache, ParseCacheStatistics
from greenroom.actors.search.understanding.rules import understand
from greenroom.actors.search.understanding.service import Lexicon, load_lexicon, match_services
from greenroom.actors.search.understanding.time_left import windows_left
from greenroom.actors.search.understanding.time_windows import resolve_times, resolve_when
from greenroom.actors.search.understanding.words import keys, normal_form

__all__ = [
    "Lexicon",
    "ModelFailed",
    "ParseCache",
    "ParseCacheStatistics",
    "keys",
    "load_lexicon",
    "match_services",
    "merged",
    "normal_form",
    "resolve_times",
    "resolve_when",
    "understand",
    "windows_left",
]
