"""What of a sentence is compared with the meaning of lessons."""

from __future__ import annotations

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.meaning import meaning_text

LEXICON = load_lexicon()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("sax under $80 on monday", "sax Saxophone"),
        ("piano for my 8yo", "piano Piano children"),
        ("piano for my 7 year old, beginner", "piano Piano beginner children"),
        ("yoga for seniors", "yoga Yoga seniors"),
        ("yoga for adults", "yoga Yoga adults"),
        ("swim for my toddler", "swim Swimming toddlers"),
        ("chess for teens", "chess Chess teenagers"),
        ("math and science tutor", "math science Math Science"),
        ("xyzzy", "xyzzy"),
        ("under $80", "under $80"),
    ],
)
def test_it_is_said_in_the_words_that_lessons_have(text: str, meaning: str) -> None:
    assert meaning_text(understand(text, lexicon=LEXICON), lexicon=LEXICON) == meaning
