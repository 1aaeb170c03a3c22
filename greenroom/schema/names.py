"""Names of people, as they are compared when somebody looks for one."""

from __future__ import annotations

import re
import string
from typing import Final
from unicodedata import normalize

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded_name(name: str) -> str:
    """Without accents, and A to Z in lower case: what an index of names holds.

    Letters of other scripts keep their case: what lowers them would be another thing in each version of a database.
    """
    return _ACCENTS.sub("", normalize("NFD", name)).translate(_LOWER)
