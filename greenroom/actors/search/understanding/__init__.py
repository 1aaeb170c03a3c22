"""What a sentence asks for: rules that read it in about a millisecond, without a model and without I/O."""

from greenroom.actors.search.understanding.rules import understand
from greenroom.actors.search.understanding.service import Lexicon, load_lexicon, match_services
from greenroom.actors.search.understanding.time_windows import resolve_when
from greenroom.actors.search.understanding.words import keys, normal_form

__all__ = ["Lexicon", "keys", "load_lexicon", "match_services", "normal_form", "resolve_when", "understand"]
