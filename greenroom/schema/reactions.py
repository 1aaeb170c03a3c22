"""What a message's reactions become when one is added or taken away.

They are kept in one order, emoji by code points and users by id: the same whoever was first, and however often
somebody changes their mind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from greenroom.schema.ids import UserId
from greenroom.schema.records import Reaction

Reactions = tuple[Reaction, ...]
ReactionsChange = Callable[[Reactions, str, UserId], Reactions]


def with_reaction(reactions: Reactions, emoji: str, user_id: UserId) -> Reactions:
    """Add one; nothing changes if it is there."""
    users = {user_id}.union(*(r.user_ids for r in reactions if r.emoji == emoji))
    others = [r for r in reactions if r.emoji != emoji]
    return tuple(sorted([*others, Reaction(emoji, tuple(sorted(users)))], key=lambda r: r.emoji))


def without_reaction(reactions: Reactions, emoji: str, user_id: UserId) -> Reactions:
    """Take one away; nothing changes if it is not there."""
    left = (
        replace(r, user_ids=tuple(u for u in r.user_ids if u != user_id)) if r.emoji == emoji else r
        for r in reactions
    )
    return tuple(r for r in left if r.user_ids)


def emoji_of(reactions: Reactions, user_id: UserId) -> frozenset[str]:
    """The different emoji that a user has put on a message."""
    return frozenset(r.emoji for r in reactions if user_id in r.user_ids)
