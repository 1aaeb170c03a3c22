"""What a worker is told that wants to fetch something which others may be fetching too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Lead:
    """Yours to fetch, for all. To be landed or left; if neither happens it lapses, and another leads."""

    key: str
    token: str


@dataclass(frozen=True, slots=True)
class Landed:
    """What came of it where another has fetched it lately: nobody's word, to be checked before use."""

    body: bytes


class Sky(Enum):
    ALOFT = "aloft"
    """Another fetches it now: ask again."""

    UNSEEN = "unseen"
    """Nobody can tell: fetch it yourself, for yourself."""


Boarding = Lead | Landed | Sky
