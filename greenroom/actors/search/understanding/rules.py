"""Understanding a sentence by rules: about a millisecond, no model, the same answer every time.

Each rule claims pieces of the sentence with a strength; the claims without overlap that weigh most together are kept. Places come
second, among what is left, then what is denied ("no beginners", "not in brooklyn") is turned around, and the rest are the words for the
lesson.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Final

from greenroom.actors.search.understanding.age import age_claims, age_left, are_left_out, merged_ages, only_ages
from greenroom.actors.search.understanding.audience import EXCLUSIVE, audience_claims, with_only
from greenroom.actors.search.understanding.bare_ages import bare_age_claims
from greenroom.actors.search.understanding.bare_numbers import is_bare_number, loose_numbers
from greenroom.actors.search.understanding.claims import (
    Ages,
    Cheap,
    Claim,
    DeniedPlace,
    ExceptAges,
    ExceptLevels,
    ExceptTimes,
    NearMe,
    PlaceWords,
    Untold,
    cover,
    covers,
)
from greenroom.actors.search.understanding.denial import heeded
from greenroom.actors.search.understanding.denied_places import without_denied_places
from greenroom.actors.search.understanding.denied_times import times_left
from greenroom.actors.search.understanding.denied_words import DeniedWords, denied_kinds
from greenroom.actors.search.understanding.filler import FILLER, SOFT_FILLER
from greenroom.actors.search.understanding.level import level_claims, merged_levels
from greenroom.actors.search.understanding.line import Atom, Line
from greenroom.actors.search.understanding.online import merged_online, online_claims
from greenroom.actors.search.understanding.place import IsPlace, known_place_claims, prepositional_claims
from greenroom.actors.search.understanding.price import merged_price, price_claims
from greenroom.actors.search.understanding.service import Lexicon, match_services
from greenroom.actors.search.understanding.spoken_times import Piece, holding, spoken_times
from greenroom.actors.search.understanding.unheeded import unheeded_claims
from greenroom.actors.search.understanding.when import when_claims
from greenroom.actors.search.understanding.words import normal_form, word_set
from greenroom.schema.search.understood import (
    AgeBounds,
    Level,
    Notice,
    NoticeKind,
    Part,
    PartKind,
    PriceBounds,
    Understood,
    When,
    noticed,
)

_JOINING: Final = frozenset({"or", "and", "&", "/"})


def understand(
    text: str, *, lexicon: Lexicon, is_place: IsPlace | None = None, today: date | None = None
) -> Understood:
    """What a sentence asks for. Any text is understood somehow; of nonsense it is said that it is the lesson's name.

    Args:
        text: as typed, at most QUERY_LENGTH_MAX characters; the time taken grows with the length.
        is_place: finds places without a preposition before them; None finds those with one only.
        today: where the lesson would be given; None leaves dates without a year out.
    """
    line = Line(text)
    size = len(line.atoms)
    claims = [
        *price_claims(line),
        *age_claims(line),
        *bare_age_claims(line),
        *audience_claims(line),
        *level_claims(line),
        *when_claims(line, today=today),
        *online_claims(line),
        *unheeded_claims(line),
    ]
    told = {claim.first for claim in claims}
    named = (
        [] if is_place is None else list(known_place_claims(line, is_place=is_place, lexicon=lexicon, told=told))
    )
    chosen = cover([*claims, *named], size)
    held = [claim for claim in chosen if claim.kind is not PartKind.PLACE]
    taken = _taken(held, size)
    placed = cover(
        [*prepositional_claims(line, taken, is_place=is_place, lexicon=lexicon), *_unclaimed(named, taken)], size
    )
    wanted = _one_place(line, tuple(without_denied_places(line, placed, taken, lexicon)))
    found = heeded(line, cover([*held, *wanted], size), lexicon)
    if is_place is not None and not placed:
        lesson = _lesson_atoms(line, _taken_or_denied(found.claims, found.words, size), lexicon)
        found.claims.extend(_place_alone(line, lesson, is_place, lexicon))
    return _told(line, list(with_only(line, found.claims)), found.words, lexicon)


def _place_alone(line: Line, lesson: list[int], is_place: IsPlace, lexicon: Lexicon) -> Iterator[Claim]:
    """A name that is a place only after a preposition ("downtown", "angel"), where nothing else is left to be the lesson."""
    if lesson and lesson[-1] - lesson[0] == len(lesson) - 1:
        name = tuple(word.key for at in lesson for word in line.atoms[at].words)
        if is_place(name) and lexicon.meanings(name) is None:
            words = PlaceWords(" ".join(line.atoms[at].text for at in lesson), is_near=False, is_led_to=False)
            yield Claim(PartKind.PLACE, lesson[0], lesson[-1] + 1, words)


def _unclaimed(named: list[Claim], taken: list[bool]) -> list[Claim]:
    """Those of the known places that no other rule's claim has won."""
    return [claim for claim in named if not any(taken[claim.first : claim.after])]


def _taken(claims: list[Claim], size: int) -> list[bool]:
    taken = [False] * (size + 1)
    for claim in claims:
        taken[claim.first : claim.after] = [True] * (claim.after - claim.first)
    return taken


def _one_place(line: Line, placed: tuple[Claim, ...]) -> Iterator[Claim]:
    """The first place that a preposition leads to, else the first, with those that it is named together with: "soho or tribeca",
    "soho, manhattan"."""
    places = [(claim, claim.meaning) for claim in placed if isinstance(claim.meaning, PlaceWords)]
    yield from (claim for claim in placed if not isinstance(claim.meaning, PlaceWords))
    if not places:
        return
    main = next((at for at, (_, words) in enumerate(places) if words.is_led_to), 0)
    first = last = main
    while first > 0 and _is_joined(line, places[first - 1][0], places[first][0]):
        first -= 1
    while last + 1 < len(places) and _is_joined(line, places[last][0], places[last + 1][0]):
        last += 1
    together = places[first : last + 1]
    # One place is asked for. What else is one says nothing of the lesson either, which is told.
    named = {words.text for _, words in together}
    for claim, words in (*places[:first], *places[last + 1 :]):
        meaning = None if words.text in named else Untold(NoticeKind.NOT_HEEDED)
        yield replace(claim, kind=PartKind.FILLER, meaning=meaning)
    yield replace(
        together[0][0],
        after=together[-1][0].after,
        meaning=replace(places[main][1], text=_listed(line, together)),
    )


def _listed(line: Line, together: list[tuple[Claim, PlaceWords]]) -> str:
    """Places named together as one text: "soho or tribeca", "soho, tribeca", "soho manhattan"."""
    text = together[0][1].text
    is_list = any(one.after < other.first for (one, _), (other, _) in pairwise(together))
    for claim, words in together[1:]:
        between = " or " if is_list else ", " if line.atoms[claim.first].is_broken_off else " "
        text += between + words.text
    return text


def _is_joined(line: Line, one: Claim, other: Claim) -> bool:
    return all(line.key(at) in _JOINING for at in range(one.after, other.first))


def _taken_or_denied(claims: list[Claim], denied: list[DeniedWords], size: int) -> list[bool]:
    taken = _taken(claims, size)
    for words in denied:
        taken[words.first : words.after] = [True] * (words.after - words.first)
    return taken


def _told(line: Line, claims: list[Claim], denied: list[DeniedWords], lexicon: Lexicon) -> Understood:
    taken = _taken_or_denied(claims, denied, len(line.atoms))
    lesson = _lesson_atoms(line, taken, lexicon)
    claims = sorted([*claims, *_unheeded_numbers(line, claims, taken, lesson)], key=lambda claim: claim.first)
    pieces = list(_when_pieces(line, claims))
    prices = [claim.meaning for claim in claims if isinstance(claim.meaning, PriceBounds)]
    ages = [claim.meaning for claim in claims if isinstance(claim.meaning, Ages)]
    levels = [claim.meaning for claim in claims if isinstance(claim.meaning, frozenset)]
    places = [claim.meaning for claim in claims if isinstance(claim.meaning, PlaceWords)]
    refused_ages = [claim.meaning for claim in claims if isinstance(claim.meaning, ExceptAges)]
    age = age_left(merged_ages(ages), refused_ages)
    left = times_left(spoken_times(pieces), claims)
    named = [word.key for at in _naming_atoms(line, claims, lesson, lexicon) for word in line.atoms[at].words]
    refused = frozenset[Level]().union(
        *(claim.meaning.levels for claim in claims if isinstance(claim.meaning, ExceptLevels))
    )
    services = match_services(named, lexicon=lexicon)
    weights = {guess.category: guess.weight for guess in services}
    # "Keyboard, not piano", but "piano, not keyboard": what is meant more is what counts.
    unwanted = sorted(slug for slug, weight in denied_kinds(denied) if weight > weights.get(slug, 0.0))
    unheeded = [words for words in denied if not any(slug in unwanted for slug, _ in words.kinds)]
    understood = Understood(
        text=normal_form(line.typed),
        service_text=" ".join(line.atoms[at].text for at in lesson),
        services=tuple(guess for guess in services if guess.category not in unwanted),
        denied=tuple(unwanted),
        place_text=places[0].text if places else None,
        is_near=places[0].is_near if places else False,
        denied_places=tuple(claim.meaning.text for claim in claims if isinstance(claim.meaning, DeniedPlace)),
        is_near_me=any(isinstance(claim.meaning, NearMe) for claim in claims),
        price=merged_price(prices),
        age=age,
        only_ages=only_ages(ages, refused_ages),
        levels=merged_levels(levels, refused),
        when=holding(left.times),
        times=left.times if len(left.times) > 1 else (),
        denied_times=left.denied,
        online=merged_online([claim.meaning for claim in claims if claim.kind is PartKind.ONLINE]),  # type: ignore[misc]
        notices=tuple(_notices(line, claims, unheeded, left.unheeded, age)),
        parts=tuple(_parts(line, claims, lesson, denied, unwanted)),
        settled=tuple(_settled(line, claims, unheeded)),
    )
    is_told = understood.asks_for_anything or understood.notices
    return understood if is_told else noticed(understood, NoticeKind.NOTHING_UNDERSTOOD, [line.typed.strip()])


def _notices(
    line: Line,
    claims: list[Claim],
    unheeded: list[DeniedWords],
    left_in: list[Claim],
    age: AgeBounds | None,
) -> Iterator[Notice]:
    """What was said and can't be heeded, in order.

    Args:
        unheeded: words that are denied and leave no kind of lesson out.
        left_in: denied times without which none would be left.
        age: of the learner, but for what was denied.
    """
    untold = [
        (claim.first, claim.after, claim.meaning.why) for claim in claims if isinstance(claim.meaning, Untold)
    ]
    untold += [
        (claim.first, claim.after, NoticeKind.NOT_HEEDED)
        for claim in claims
        if isinstance(claim.meaning, ExceptAges) and not are_left_out(claim.meaning.bounds, age)
    ]
    untold += [
        (claim.first, claim.after, NoticeKind.NOT_ONLY)
        for claim in claims
        if isinstance(claim.meaning, Ages) and claim.meaning.is_only and claim.meaning.limits is None
    ]
    if not any(isinstance(claim.meaning, PriceBounds) for claim in claims):
        untold += [
            (claim.first, claim.after, NoticeKind.NOT_HEEDED)
            for claim in claims
            if isinstance(claim.meaning, Cheap)
        ]
    untold += [(claim.first, claim.after, NoticeKind.NOT_HEEDED) for claim in left_in]
    untold += [(words.first, words.after, NoticeKind.NOT_HEEDED) for words in unheeded if not words.is_polite]
    for first, after, why in sorted(untold):
        yield Notice(why, line.typed_part(first, after)[0])


def _settled(line: Line, claims: list[Claim], unheeded: list[DeniedWords]) -> Iterator[Part]:
    """Pieces that ask for nothing, in order."""
    pieces = [
        (claim.first, claim.after, claim.settles or PartKind.FILLER)
        for claim in claims
        if claim.settles is not None or isinstance(claim.meaning, Untold)
    ]
    pieces += [(words.first, words.after, PartKind.FILLER) for words in unheeded]
    for first, after, kind in sorted(pieces):
        yield Part(kind, *line.typed_part(first, after))


def _when_pieces(line: Line, claims: list[Claim]) -> list[Piece]:
    pieces: list[Piece] = []
    last_after = 0
    for claim in claims:
        if not isinstance(claim.meaning, When | tuple):
            continue
        between = range(last_after, claim.first)
        is_joined = (
            bool(pieces)
            and any(line.key(at) in _JOINING for at in between)
            # Not that of "monday for kids and adults at 5".
            and not any(covers(claims, at) for at in between)
        )
        is_and = is_joined and not any(line.key(at) in ("or", "/") for at in between)
        is_listed = line.atoms[claim.first].is_broken_off
        for number, when in enumerate(claim.meaning if isinstance(claim.meaning, tuple) else (claim.meaning,)):
            pieces.append(Piece(when, is_joined or number > 0, is_and, is_listed, claim.half_is_guessed))
        last_after = claim.after
    return pieces


def _lesson_atoms(line: Line, taken: list[bool], lexicon: Lexicon) -> list[int]:
    """The atoms left for the lesson: names of lessons whole, other words unless they are filler."""
    free = [at for at in range(len(line.atoms)) if not taken[at] and line.atoms[at].is_word]
    named: set[int] = set()
    for run in _runs(line, free):
        for phrase in lexicon.phrases([line.key(at) for at in run]):
            core = _core(line, run[phrase.first : phrase.after], lexicon)
            if any(line.key(at) not in FILLER | SOFT_FILLER for at in core):
                named.update(core)
    telling = [
        at for at in free if at in named or not (line.key(at) in FILLER or _is_spelled_number(line.atoms[at]))
    ]
    loose = loose_numbers(line, telling, named, lexicon)
    telling = [at for at in telling if at not in loose]
    sure = [at for at in telling if line.key(at) not in SOFT_FILLER or at in named]
    return sure or telling


def _unheeded_numbers(line: Line, claims: list[Claim], taken: list[bool], lesson: list[int]) -> Iterator[Claim]:
    """Numbers that are no part of the lesson's name, and don't count what stands behind them: "2 kids", "3 students"."""
    for at, atom in enumerate(line.atoms):
        if taken[at] or at in lesson or not is_bare_number(atom):
            continue
        follower = line.atoms[at + 1] if at + 1 < len(line.atoms) else None
        is_count = follower is not None and not follower.is_broken_off
        is_count = is_count and (_is_of_learners(claims, at + 1) or line.key(at + 1) in _COUNTED)
        if not is_count:
            yield Claim(None, at, at + 1, Untold(NoticeKind.NOT_HEEDED))


_COUNTED: Final = (FILLER | SOFT_FILLER) - word_set("a an and at but by for from in near of off on or the to with")
"""What numbers count of the words that say nothing: "2 lessons", "3 students"."""


def _is_of_learners(claims: list[Claim], at: int) -> bool:
    return any(claim.kind is PartKind.AGE and claim.first <= at < claim.after for claim in claims)


def _is_spelled_number(atom: Atom) -> bool:
    """ "Two": how many; one in digits is often a part of a name ("algebra 2"), as is "first" ("first aid")."""
    return atom.key.isdigit() and atom.words[0].text[0].isalpha()


_LENDING: Final = frozenset({PartKind.AGE, PartKind.LEVEL, PartKind.WHEN})


def _naming_atoms(line: Line, claims: list[Claim], lesson: list[int], lexicon: Lexicon) -> list[int]:
    """The lesson's atoms with those beside them that make one name: "for kids" of "coding for kids", "basics" of "computer basics"."""
    lending = [claim for claim in claims if claim.kind in _LENDING]
    if not lending:
        return lesson
    lent = {at for claim in lending for at in range(claim.first, claim.after)}
    theirs = set(lesson)
    found = set(lesson)
    taken = _taken([claim for claim in claims if claim.kind not in _LENDING], len(line.atoms))
    for run in _runs(line, [at for at in range(len(line.atoms)) if not taken[at] and line.atoms[at].is_word]):
        # "Kids only coding" is coding for kids, whoever else may come.
        named = [at for at in run if line.key(at) not in EXCLUSIVE]
        for phrase in lexicon.phrases([line.key(at) for at in named]):
            atoms = named[phrase.first : phrase.after]
            if phrase.is_exact and lent.intersection(atoms) and theirs.intersection(atoms):
                found.update(atoms)
    return sorted(found)


def _core(line: Line, phrase: list[int], lexicon: Lexicon) -> list[int]:
    """The phrase without words like "lessons" at its end, if the rest says the same: "art" of "art class", but all of "dog training"."""
    while len(phrase) > 1 and line.key(phrase[-1]) in FILLER | SOFT_FILLER:
        if lexicon.meanings(tuple(line.key(at) for at in phrase[:-1])) is None:
            break
        phrase = phrase[:-1]
    return phrase


def _runs(line: Line, free: list[int]) -> Iterator[list[int]]:
    """Free atoms that stand together without a break."""
    run: list[int] = []
    for at in free:
        if run and (at != run[-1] + 1 or line.atoms[at].is_broken_off):
            yield run
            run = []
        run.append(at)
    if run:
        yield run


def _parts(
    line: Line, claims: list[Claim], lesson: list[int], denied: list[DeniedWords], unwanted: list[str]
) -> Iterator[Part]:
    """Every piece in order: claims as they are, the lesson's words, filler and what is denied in runs."""
    kind_of: list[tuple[PartKind, int] | None] = [None] * len(line.atoms)
    out = _taken_or_denied([], denied, len(line.atoms))
    whole: tuple[PartKind, int] | None = None
    last_after = 0
    for number, claim in enumerate(claims):
        first = claim.first
        if isinstance(claim.meaning, DeniedPlace | ExceptTimes) and claim.meaning.goes_on and whole is not None:
            # "Not in brooklyn or queens", "not on monday mornings" is one piece: its second half would read as if it was asked for.
            first = last_after
            out[first : claim.first] = [True] * (claim.first - first)
        else:
            whole = None if claim.kind is None else (claim.kind, number)
        kind_of[first : claim.after] = [whole] * (claim.after - first)
        last_after = claim.after
    owned = _taken(claims, len(line.atoms))
    lesson_set = set(lesson)
    for words in denied:
        if any(slug in unwanted for slug, _ in words.kinds):
            kind_of[words.first : words.after] = [(PartKind.DENIED, -1)] * (words.after - words.first)
    for at, atom in enumerate(line.atoms):
        if owned[at] or out[at] or not atom.is_word:
            continue
        kind_of[at] = (PartKind.SERVICE if at in lesson_set else PartKind.FILLER, -1)
    first = 0
    for at in range(1, len(line.atoms) + 1):
        if at < len(line.atoms) and kind_of[at] == kind_of[first]:
            continue
        if (here := kind_of[first]) is not None:
            typed, start, end = line.typed_part(first, at)
            yield Part(here[0], typed, start, end)
        first = at
