"""Which region a name means, by what people opened after they searched for it. Decides only.

1. An opened lesson votes for all regions its instructor teaches in; the more these are, the less for each.
2. A vote loses half its weight in a half-life: names go out of use, and shops move.
3. Nobody has more than one voice per name, however often they click: it is split by what they opened.
4. A region is not beaten by what it lies in, nor by what lies in it: "the slope" may have voices for Park Slope and for Brooklyn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenroom.schema.ids import UserId
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.place_names import compact
from greenroom.schema.search.places import RegionId

LETTERS_MIN: Final = 3
"""Of a name without spaces. Two letters may mean anything."""

WEIGHT_MAX: Final = 0.95
"""What people click is never as sure as a name that somebody wrote down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningRules:
    """What it takes.

    Attributes:
        users_min: distinct people who opened lessons in the region.
        clicks_min: their clicks, each by what age has left of its weight.
        share_min: of the voices for the region and its rival, those for the region.
        is_automatic: whether what was learned holds at once; else an operator has to approve it.
    """

    users_min: int = 5
    clicks_min: float = 8.0
    share_min: float = 0.7
    half_life: timedelta = timedelta(days=30)
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A name that people seem to use for a region. ``share`` is between it and its rival, 1 where it has none."""

    name: str
    region_id: RegionId
    users: int
    clicks: float
    share: float

    @property
    def weight(self) -> float:
        return min(WEIGHT_MAX, self.share)


@dataclass(slots=True)
class _Tally:
    voices: float = 0.0
    clicks: float = 0.0
    users: int = 0


def may_be_name(name: str) -> bool:
    """Whether a text in normal form may be learned at all."""
    return len(compact(name)) >= LETTERS_MIN and any(character.isalpha() for character in name)


def count(votes: Iterable[Vote], rules: LearningRules, *, now: datetime) -> list[Proposal]:
    """Return the names whose meaning is clear, the clearest first; at most one region per name."""
    by_name: defaultdict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        if vote.regions and may_be_name(vote.name):
            by_name[vote.name].append(vote)
    proposals = [_decide(name, some, rules, now) for name, some in by_name.items()]
    found = [proposal for proposal in proposals if proposal is not None]
    return sorted(found, key=lambda p: (-p.users, -p.clicks, p.name))


def _decide(name: str, votes: Sequence[Vote], rules: LearningRules, now: datetime) -> Proposal | None:
    tallies = _tally(votes, rules, now)
    # Of two that have as many voices the smaller one says more.
    ranked = sorted(tallies, key=lambda region: (-round(tallies[region].voices, 9), -region.count("/"), region))
    best = ranked[0]
    rival = next(
        (region for region in ranked[1:] if not _is_within(region, best) and not _is_within(best, region)), None
    )
    against = 0.0 if rival is None else tallies[rival].voices
    tally = tallies[best]
    share = tally.voices / (tally.voices + against) if tally.voices else 0.0
    if tally.users < rules.users_min or tally.clicks < rules.clicks_min or share < rules.share_min:
        return None
    return Proposal(name, best, tally.users, tally.clicks, share)


def _tally(votes: Sequence[Vote], rules: LearningRules, now: datetime) -> dict[RegionId, _Tally]:
    by_user: defaultdict[UserId, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_user[vote.user_id].append(vote)
    tallies: defaultdict[RegionId, _Tally] = defaultdict(_Tally)
    for theirs in by_user.values():
        for vote in theirs:
            age = max(timedelta(0), now - vote.at)
            left = 0.5 ** (age / rules.half_life)
            for region in vote.regions:
                tallies[region].clicks += left
                tallies[region].voices += left / len(vote.regions) / len(theirs)
        for region in {region for vote in theirs for region in vote.regions}:
            tallies[region].users += 1
    return tallies


def _is_within(inner: RegionId, outer: RegionId) -> bool:
    return inner.startswith(f"{outer}/")
