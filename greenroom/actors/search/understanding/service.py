"""Which kinds of lessons words mean: by name, synonym, plural, or one edit away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from greenroom.actors.search.understanding.filler import FILLER, SOFT_FILLER
from greenroom.actors.search.understanding.words import keys, word_set
from greenroom.schema.search.taxonomy import Taxonomy, load_taxonomy
from greenroom.schema.search.understood import ServiceGuess

GUESSES_MAX: Final = 5
PHRASE_WORDS_MAX: Final = 5
TYPO_LENGTH_MIN: Final = 5
"""Letters from which on any one edit is forgiven: below, most words are one edit from some other word."""
TYPO_WEIGHT: Final = 0.8

Meanings = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Neighbouring words that name a kind of lesson. ``after`` is exclusive; weights of ``meanings`` are at most 1 together."""

    first: int
    after: int
    meanings: Meanings
    is_exact: bool


class Lexicon:
    """The taxonomy's words made ready to be found. Unchanging; about 1,500 names take 2 ms to build and 1 MB to keep."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._meanings: dict[tuple[str, ...], Meanings] = {}
        for kind in taxonomy.kinds.values():
            for name in (kind.name, kind.slug.replace("-", " "), *kind.synonyms):
                self._enter(name, ((kind.slug, 1.0),))
        for name, meanings in taxonomy.shared.items():
            self._meanings[keys(name)] = meanings
        # Single words by what is left of them when one letter goes: two words one edit apart share one of these.
        # Source: symmetric deletes, W. Garbe, SymSpell (2012).
        self._nearly: dict[str, list[str]] = {}
        for words in self._meanings:
            if len(words) == 1 and len(words[0]) >= TYPO_LENGTH_MIN:
                for stem in {words[0], *_one_less(words[0])}:
                    self._nearly.setdefault(stem, []).append(words[0])
        self._swapped = {
            swapped: words[0]
            for words in self._meanings
            if len(words) == 1 and len(words[0]) == TYPO_LENGTH_MIN - 1
            for swapped in _neighbours_swapped(words[0])
        }

    def _enter(self, name: str, meanings: Meanings) -> None:
        words = keys(name)
        if words and (len(words) > 1 or words[0] not in FILLER):
            self._meanings.setdefault(words, meanings)

    def meanings(self, words: tuple[str, ...]) -> Meanings | None:
        """What exactly these words name, singular or plural; None for nothing."""
        for form in _forms(words):
            if form in self._meanings:
                return self._meanings[form]
        return None

    def phrases(self, words: Sequence[str]) -> Iterator[Phrase]:
        """Names of lessons from left to right, the longest at each word; a single unknown word may be one edit off."""
        at = 0
        while at < len(words):
            phrase = self._phrase_at(words, at)
            if phrase is None:
                at += 1
            else:
                yield phrase
                at = phrase.after

    def _phrase_at(self, words: Sequence[str], at: int) -> Phrase | None:
        for length in range(min(PHRASE_WORDS_MAX, len(words) - at), 0, -1):
            if meanings := self.meanings(tuple(words[at : at + length])):
                return Phrase(at, at + length, meanings, is_exact=True)
        if (near := self.nearest(words[at])) or (near := self._run_together(words[at])):
            return Phrase(at, at + 1, tuple((slug, weight * TYPO_WEIGHT) for slug, weight in near), is_exact=False)
        return None

    def nearest(self, word: str) -> Meanings | None:
        """What a misspelt word names: one letter too many, too few, wrong, two swapped, or one out of its place ("panio"). Of several
        the first in the taxonomy; a letter out of its place comes last."""
        if word in AS_TYPED or not TYPO_LENGTH_MIN - 1 <= len(word) <= 25:
            return None
        if len(word) < TYPO_LENGTH_MIN:
            # Of a short word only a letter that went missing is forgiven, or two swapped, and not the first: "pino", "yoag".
            missing = (name for name in self._nearly.get(word, ()) if name[0] == word[0])
            name = next(missing, self._swapped.get(word))
            return None if name is None else self._meanings[(name,)]
        for stem in (word, *_one_less(word)):
            for name in self._nearly.get(stem, ()):
                if OSA.distance(word, name, score_cutoff=1) <= 1:
                    return self._meanings[(name,)]
        return self._out_of_place(word)

    def _out_of_place(self, word: str) -> Meanings | None:
        """What a word names that has one letter elsewhere, but for the first: without that letter both are the same ("vilion")."""
        letters = sorted(word)
        for stem in _one_less(word):
            for name in self._nearly.get(stem, ()):
                if name[0] == word[0] and len(name) == len(word) and sorted(name) == letters:
                    return self._meanings[(name,)]
        return None

    def _run_together(self, word: str) -> Meanings | None:
        """What "pianolessons" names: a name and a word like "lessons" without the space."""
        if not 8 <= len(word) <= 30:
            return None
        for cut in range(4, len(word) - 3):
            if word[cut:] in _TAILS and (meanings := self.meanings((word[:cut],))):
                return meanings
        return None


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon of the taxonomy that comes with the package, built once."""
    return Lexicon(load_taxonomy())


def match_services(words: Sequence[str], *, lexicon: Lexicon) -> tuple[ServiceGuess, ...]:
    """Kinds of lessons that these words mean, heaviest first, at most five; words as :attr:`Word.key`.

    Each phrase has the same share, divided among what it may mean. "Tutor" and the like count only when nothing else names a kind;
    of equals the longer name goes first ("chef ... thai cooking").
    """
    found = list(lexicon.phrases(words))
    found = [phrase for phrase in found if not _is_spoken(words, phrase, lexicon)] or found
    named = [phrase for phrase in found if not set(words[phrase.first : phrase.after]) <= _TEACHING] or found
    weights: dict[str, float] = {}
    for phrase in named:
        for slug, weight in phrase.meanings:
            weights[slug] = weights.get(slug, 0.0) + weight / len(named)
    length = {slug: phrase.after - phrase.first for phrase in named for slug, _ in phrase.meanings}
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], -length[item[0]]))[:GUESSES_MAX]
    return tuple(ServiceGuess(slug, round(weight, 4)) for slug, weight in heaviest)


def _is_spoken(words: Sequence[str], phrase: Phrase, lexicon: Lexicon) -> bool:
    """Whether a language is the one that the teacher speaks: "who speaks spanish", "french speaking"."""
    if any(lexicon.taxonomy.kinds[slug].group != "languages" for slug, _ in phrase.meanings):
        return False
    before = words[phrase.first - 1] if phrase.first else ""
    return before in ("speaks", "speak") or (phrase.after < len(words) and words[phrase.after] == "speaking")


REAL_WORDS: Final = word_set("""
    patient native female women wedding writer writers reader readers garden mother father voices party sport sports space
    trail train trains beach peace place planet singles paper pencil model models teams chase chest cheese china greece
    france spain poland turkey italy japan india korea russia greeks dance dutch danish court could house horse horses water
    assist backing bearing began bullet cancer canon carry cells chair commerce compute computed corner cutting danger derive divine driven
    driver drivers drove dying exports failing mailing railing tailing nailing faint finger fingers finish fixing grass green creek greet
    growing towing mowing sowing handle heading leading hiding lance leaving literary living logging login loops hooks lying flying males
    tales scales takes saves naming panel paths baths myths moths power joker print printing pointing panting reach recorded running saint
    seats states state status stars stays shift signing ringing sinking swinging units unite villa waiting witness topic table middle point
    points pointed pointer pointing star plano ballot mallet pallet wallet fluke jello manic tragic photon satin ditch hutch clutch
    hindu bride fridge ridge hurry furry curly toffee focal mango prone barred barren dunce danced striving drawling crawling wishing
    dishing liking hiring damping fending eating dating rating slating knotting quitting treading lottery pantry pirates plates
    skimming slimming germany germane persia quash squish serum expel hello booking looking plaza piazza coping ceding serving
    holding seeing swiss tapes axes faxes sauces focus famil cunning gunning ruining
    chord chords carol carols vila cell vice chin hind tail lain iris hist bare pain pant pint mana dram cava bent curt unit sift scum sale dive done tart
    trot taro ruby bile swig ding tang dane dace oran pole flue alot sign past last paid wien making taking diver divers stage short skills swing tango tempo theme three twins under world hobby handy light right rights
    """)
"""English words one edit away from a name of a lesson that mean something else."""

AS_TYPED: Final = FILLER | SOFT_FILLER | REAL_WORDS
"""Words that are never taken for others."""

_TEACHING: Final = SOFT_FILLER | FILLER
"""Names that are made of these alone are of teaching itself: "private tutor"."""

_TAILS: Final = word_set(
    "lesson lessons teacher teachers class classes tutor tutors tutoring coach instructor instructors course"
)


def _neighbours_swapped(word: str) -> Iterator[str]:
    """But for the first letter."""
    return (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1))


def _one_less(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _forms(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words, then with the last one in the singular or plural."""
    yield words
    *rest, last = words
    if len(last) >= 4 and last.endswith("ies"):
        yield (*rest, last[:-3] + "y")
    if len(last) >= 4 and last.endswith("es"):
        yield (*rest, last[:-2])
    if len(last) >= 4 and last.endswith("s"):
        yield (*rest, last[:-1])
    else:
        yield (*rest, last + "s")
