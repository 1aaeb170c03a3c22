"""What is said of a lesson and no lesson tells: that it be cheap, for two, or a present. It is told, and no word of the lesson.

Questions about lessons already booked ("how do I cancel my lesson") look for none: their words are filler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Cheap, Claim, Meaning, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import NoticeKind, PartKind

_CHEAP: Final = pattern(
    r"(?:(?:not|isnt)_(?:(?:too|so|very|that|overly|super|crazy)_)?|nothing_(?:too_)?|(?:less|least)_) (?: expensive | pricey | costly )"
    r" | (?:(?:very|really|quite|as|relatively|fairly)_){0,2}(?: cheap | cheaper | cheapest | cheaply | affordabl[ey] | inexpensive | economical )(?:_(?:as_possible|price[sd]?|rates?))?"
    r" | reasonabl[ey]_(?:price[sd]?|rates?|fees?|costs?) | (?:low|lower|lowest|good|best|fair)_(?:cost|costs|price|prices|priced|rate|rates|fee|fees|budget)"
    r" | (?:on|with)_(?:an?_|my_)?(?:(?:tight|low|small|limited|student|shoestring)_)?budget | (?:tight|low|small|limited)_budget"
    r" | budget_friendly | \Abudget(?=_(?!plan|manage|travel|cook|meal|analy|account|for|and)[a-z])"
)
_KIN: Final = (
    r"(?: wife | husband | hubby | partner | spouse | girlfriend | boyfriend | fiancee? | gf | bf | friends? | mom | mum | mother | dad | father"
    r" | sister | brother | son | daughter | kids? | family )"
)
_GROWN: Final = r"(?: wife | husband | partner | spouse | girlfriend | boyfriend | friends? | colleagues? | coworkers? | fiancee? )"
_FOR_ONE: Final = pattern(
    r"for_(?:my|our|his|her)_(?: partner | spouse | friend | fiancee? | colleague | roommate | buddy )"
)
"""Who learns, of whom no more is said than by "for my wife"."""
_SEVERAL: Final = (
    pattern(r"(?:for|as)_(?:a_|us_as_a_|2_)?couples?(?!_of(?!\S))"),
    pattern(rf"(?:(?:for|with)_)?my_{_KIN}_(?:and|&)_(?:i|me|myself)"),
    pattern(rf"(?:(?:for|with)_)?(?:me|myself|us)_(?:and|&)_(?:my|our|a)_{_KIN}"),
    pattern(r"for_(?:the_)?(?:2|both)_of_us"),
    pattern(rf"(?:for|with)_(?:me_(?:and|&)_)?(?:\d_|some_|2_of_)?(?:my_)?(?<!for_my_){_GROWN}"),
)
_OF: Final = r"(?: (?:(?:as|for|on)_)? (?:(?:my|our|his|her|their)_(?:[a-z]+s_)? | an?_ | the_ )? )"
_AGAIN: Final = r"(?:(?:\d{1,3}(?:st|nd|rd|th)|xmas|christmas|wedding)_)?"
_OCCASION: Final = (
    pattern(
        rf"{_OF} {_AGAIN} (?: (?:birthday|bday|anniversary) (?:_(?:gifts?|presents?|surprise|treat))? )"
        r" (?!_(?:cakes?|cards?|songs?|part(?:y|ies)|planning|decorations?|cupcakes?)(?!\S))"
    ),
    pattern(
        rf"{_OF} {_AGAIN} (?:surprise_)? gifts? (?:_(?:cards?|certificates?|vouchers?|idea))?"
        r" (?!_(?:of|wrap|wrapping|baskets?|making|box|boxes|tags?)(?!\S))"
    ),
    pattern(
        r"(?: as_an? | for_an? | christmas | xmas | an? )_(?:nice_|lovely_)?(?: present | surprise ) (?!_(?:tense|perfect|simple)(?!\S))"
    ),
    pattern(r"(?:an?_)?surprise(?=_(?:[a-z]+_){1,3}(?:lessons?|class|classes|course|workshop|session)(?!\S))"),
)
_QUESTION: Final = pattern(
    r"\A(?:hi_|hello_|please_)?(?: how | where | when | can | could | what | why | do | is | i_(?:want|need|would_like|have)_to )(?:_[a-z]+){0,4}?"
    r"_(?: cancel(?:led|ling|lation)? | reschedule | rescheduling | refund(?:ed|s)? | unsubscribe | log_(?:in|out) | login | sign_(?:up|in|out) | signup"
    r" | (?:change|reset|update|delete|edit|forgot)(?:_[a-z]+)?_(?:password|account|email|profile|booking|bookings|payment|card)"
    r" | contact_(?:support|us|you|customer_service) )"
    r" (?:_(?: a | an | my | the | our | your | for | of | on | to | from | lessons? | class(?:es)? | bookings? | sessions? | appointments? | account | email | payment"
    r" | policy | subscription | please | here | with | at | if | it | up | teacher | tutor | instructor | password | site | website ))*"
)


_RULES: Final[tuple[tuple[frozenset[str], tuple[re.Pattern[str], ...], PartKind | None, Meaning], ...]] = (
    (
        word_set(
            "expensive pricey costly cheap cheaper cheapest cheaply affordable affordably inexpensive economical reasonable reasonably cost costs"
            " price prices priced rate rates fee fees budget"
        ),
        (_CHEAP,),
        None,
        Cheap(),
    ),
    (
        word_set("couple couples i me myself us friend friends partner spouse wife husband colleagues"),
        _SEVERAL,
        None,
        Untold(NoticeKind.NOT_HEEDED),
    ),
    (
        word_set("partner spouse friend fiance fiancee colleague roommate buddy"),
        (_FOR_ONE,),
        PartKind.FILLER,
        None,
    ),
    (
        word_set("birthday bday anniversary gift gifts present surprise"),
        _OCCASION,
        None,
        Untold(NoticeKind.NOT_HEEDED),
    ),
    (
        word_set(
            "cancel cancelled cancelling cancellation reschedule rescheduling refund refunded refunds unsubscribe log login sign signup change reset"
            " update delete edit forgot contact"
        ),
        (_QUESTION,),
        PartKind.FILLER,
        None,
    ),
)
"""Rules, each with words of which a sentence must have one: most have none, and patterns take longer to fail."""


def unheeded_claims(line: Line) -> Iterator[Claim]:
    """Every piece that is one of these."""
    said = {atom.key for atom in line.atoms}
    for needed, rules, kind, meaning in _RULES:
        if needed.isdisjoint(said):
            continue
        for rule in rules:
            for _, first, after in line.find(rule):
                yield Claim(kind, first, after, meaning)
