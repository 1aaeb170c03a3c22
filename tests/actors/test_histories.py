"""Whatever people do to each other: the state at a cursor and the events after it are the state now, and unread is a recount."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from random import Random

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.identity import Identity
from greenroom.schema.errors import DomainError
from greenroom.schema.ids import ConversationId, MessageId
from greenroom.schema.records import ConversationState, MessageKind, Role, StoredEvent
from tests.actors.state import ClientState, shown
from tests.actors.world import World, a_world

EMOJI = ("\U0001f44d", "\U0001f389", "\u2764\ufe0f")
TEXTS = ("a", "b", "Grüße\n", "\u2028")


@dataclass(frozen=True)
class Deed:
    """One thing somebody does. Numbers pick, modulo, among what there is at that moment."""

    what: str
    who: int
    where: int
    which: int


DEEDS = st.builds(
    Deed,
    what=st.sampled_from(
        [
            "open",
            "send",
            "send",
            "send",
            "read",
            "delivered",
            "edit",
            "delete",
            "react",
            "unreact",
            *ConversationState,
        ]
    ),
    who=st.integers(0, 3),
    where=st.integers(0, 3),
    which=st.integers(0, 11),
)


class Marketplace:
    """Two students and two instructors."""

    def __init__(self, world: World, people: Sequence[Identity]) -> None:
        self._world = world
        self.people = people
        self.talks: list[tuple[ConversationId, tuple[Identity, Identity]]] = []
        self.messages: list[MessageId] = []

    async def do(self, deed: Deed) -> None:
        """Do it; what is refused is refused."""
        with suppress(DomainError):
            await self._do(deed)

    async def _do(self, deed: Deed) -> None:
        messaging = self._world.core.messaging
        if deed.what == "open" or not self.talks:
            student, instructor = self.people[deed.who % 2], self.people[2 + deed.where % 2]
            opened = await messaging.open_conversation(student, instructor.user.id, None)
            talk = (opened.view.conversation.id, (student, instructor))
            if talk not in self.talks:
                self.talks.append(talk)
            return
        talk_id, pair = self.talks[deed.where % len(self.talks)]
        me = pair[deed.who % 2]
        match deed.what:
            case "send":
                sent = await messaging.send(me, talk_id, content=TEXTS[deed.which % 4], client_id=None)
                self.messages.append(sent.message.id)
            case "read":
                await messaging.mark_read(me, talk_id, deed.which)
            case "delivered":
                await messaging.mark_delivered(me, talk_id, deed.which)
            case ConversationState():
                await messaging.set_state(me, talk_id, ConversationState(deed.what))
            case _ if self.messages:
                await self._change(deed, me, self.messages[deed.which % len(self.messages)])
            case _:
                pass

    async def _change(self, deed: Deed, me: Identity, message: MessageId) -> None:
        messaging = self._world.core.messaging
        match deed.what:
            case "edit":
                await messaging.edit(me, message, content=TEXTS[deed.where % 4], if_version=None)
            case "delete":
                await messaging.delete(me, message)
            case "react" | "unreact":
                emoji = EMOJI[deed.where % 3]
                await messaging.set_reaction(me, message, emoji, is_added=deed.what == "react")

    async def events_after(self, person: Identity, cursor: str) -> list[StoredEvent]:
        """Everything in the log after a cursor, read in small pages."""
        events: list[StoredEvent] = []
        while True:
            page = await self._world.core.streams.log(person, after=cursor, limit=7, wait_s=0)
            events += [event for _, event in page.events]
            cursor = page.cursor
            if not page.has_more:
                return events

    async def recounted_unread(self, person: Identity) -> dict[ConversationId, int]:
        """Per conversation, messages of the other that lie beyond one's mark, counted one by one."""
        counts = {}
        for talk_id, pair in self.talks:
            if person in pair:
                view = await self._world.core.messaging.conversation(person, talk_id)
                page = await self._world.core.messaging.messages(
                    person, talk_id, after=view.me.read_seq, limit=100
                )
                counts[talk_id] = sum(
                    m.kind is MessageKind.USER and m.sender_id != person.user.id for m in page.items
                )
        return counts


async def live(deeds: Sequence[Deed], at: int, *, together: int, seed: int) -> None:
    """Do all of it, ``together`` at a time; look after the first ``at``, and follow from there."""
    settings = CoreSettings(edit_window=timedelta(days=1))
    async with a_world(seed=seed, settings=settings) as world:
        people = [world.maya, await world.join("ana", Role.STUDENT)]
        people += [world.tomas, await world.join("ines", Role.INSTRUCTOR)]
        market = Marketplace(world, people)
        states: list[ClientState] = []
        cursors: list[str] = []
        for n in range(0, len(deeds) + 1, together):
            if not states and n >= at:
                for person in people:
                    snapshot = await world.core.streams.sync(person)
                    states.append(ClientState(person.user.id, snapshot))
                    cursors.append(snapshot.cursor)
            async with trio.open_nursery() as nursery:
                for deed in deeds[n : n + together]:
                    nursery.start_soon(market.do, deed)
        for person, state, cursor in zip(people, states, cursors, strict=False):
            state.take(await market.events_after(person, cursor))
            now = await world.core.streams.sync(person)
            expected = {view.conversation.id: shown(view) for view in now.conversations}
            assert state.comparable() == (expected, now.total_unread)
        for person in people:
            await check_unread(world, market, person)


async def check_unread(world: World, market: Marketplace, person: Identity) -> None:
    recounted = await market.recounted_unread(person)
    total = 0
    for talk_id, count in recounted.items():
        view = await world.core.messaging.conversation(person, talk_id)
        assert view.me.unread_count == count
        total += count if view.me.state is not ConversationState.TRASHED else 0
    assert (await world.core.messaging.unread(person)).total_unread == total


@settings(max_examples=60, deadline=None)
@given(st.lists(DEEDS, max_size=40), st.integers(0, 40), st.sampled_from([1, 3, 8]), st.integers(0, 2**32))
def test_state_at_a_cursor_and_the_events_after_it_are_the_state_now(
    deeds: list[Deed], at: int, together: int, seed: int
) -> None:
    trio.run(lambda: live(deeds, at, together=together, seed=seed), clock=MockClock(autojump_threshold=0))


def test_a_long_history_holds_as_well() -> None:
    rng = Random(7)
    kinds = [
        "open",
        "send",
        "send",
        "send",
        "read",
        "delivered",
        "edit",
        "delete",
        "react",
        "unreact",
        *ConversationState,
    ]
    deeds = [Deed(rng.choice(kinds), rng.randrange(4), rng.randrange(4), rng.randrange(60)) for _ in range(600)]
    for together, at in product((1, 20), (0, 300)):
        trio.run(
            lambda t=together, a=at: live(deeds, a, together=t, seed=1), clock=MockClock(autojump_threshold=0)
        )  # type: ignore[misc]
