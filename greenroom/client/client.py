"""A typed client of the HTTP contract, on Trio and asyncio alike (through anyio).

async with connect("http://127.0.0.1:8000") as greenroom:
    await greenroom.sign_in("maya@example.com", "greenroom-demo")
    async with greenroom.events() as events:
        async for event in events:
            ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from random import Random, SystemRandom
from typing import Final, Literal
from urllib.parse import quote

import httpx

from greenroom.client.calls import Calls, M, Params
from greenroom.client.events import EventStream, StateListener, open_event_stream
from greenroom.schema.answers import (
    BookingsOut,
    ConversationsOut,
    EventLogOut,
    InstructorsOut,
    MessagesOut,
    MessageVersionsOut,
    OpenedOut,
    SignedInOut,
    SyncOut,
    UnreadOut,
)
from greenroom.schema.bookings import BookingTense
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import RandomIds
from greenroom.schema.records import ConversationState
from greenroom.schema.search.requests import SkippedStage
from greenroom.schema.search.wire import CitiesOut, SearchOut
from greenroom.schema.wire import BookingOut, ConversationOut, MessageOut, UserOut

CALL_TIMEOUT_S: Final = 10.0

API: Final = "/api/v1"


class Greenroom:
    """One user's dealings with a server. Made by :func:`connect`.

    Every method may raise :class:`~greenroom.client.Refused` (the server said no, and why),
    :class:`~greenroom.client.Unreachable` (no answer in time) or :class:`~greenroom.client.NotGreenroom`. Within its
    time a call is tried again when an answer was lost or the server was busy restarting; a key that all its tries carry
    lets it happen once.
    """

    def __init__(self, http: httpx.AsyncClient, *, timeout_s: float, random: Random) -> None:
        self._http = http
        self._random = random
        self._ids = RandomIds(random, system_wall_clock)
        self._calls = Calls(http, timeout_s=timeout_s, random=random, ids=self._ids)

    @property
    def token(self) -> str | None:
        """The session's bearer token; keep it to come back without a password."""
        return self._calls.token

    @token.setter
    def token(self, token: str | None) -> None:
        self._calls.token = token

    # Accounts.

    async def register(
        self, email: str, password: str, *, display_name: str, role: Literal["student", "instructor"]
    ) -> SignedInOut:
        """Create an account and sign in as it."""
        body = {"email": email, "password": password, "display_name": display_name, "role": role}
        return self._signed_in(await self._calls.ask(SignedInOut, "POST", f"{API}/auth/register", body=body))

    async def sign_in(self, email: str, password: str) -> SignedInOut:
        body = {"email": email, "password": password}
        return self._signed_in(await self._calls.ask(SignedInOut, "POST", f"{API}/auth/login", body=body))

    async def sign_out(self) -> None:
        """End the session everywhere; its streams close."""
        await self._calls.do("POST", f"{API}/auth/logout")
        self.token = None

    async def me(self) -> UserOut:
        return await self._read(UserOut, "/auth/me")

    # Conversations and messages.

    async def conversations(
        self, *, state: ConversationState = ConversationState.ACTIVE, limit: int = 20, cursor: str | None = None
    ) -> ConversationsOut:
        """One page, newest activity first; ``next_cursor`` of the answer leads on."""
        params: dict[str, str | int | float] = {"state": state.value, "limit": limit}
        if cursor is not None:
            params["cursor"] = cursor
        return await self._read(ConversationsOut, "/conversations", params)

    async def conversation(self, conversation_id: str) -> ConversationOut:
        return await self._read(ConversationOut, f"/conversations/{conversation_id}")

    async def open_conversation(
        self, participant_id: str, *, first: str | None = None, client_id: str | None = None
    ) -> OpenedOut:
        """Get or create the conversation with another user, with a first message if one is given."""
        body: dict[str, object] = {"participant_id": participant_id}
        if first is not None:
            body["message"] = {"content": first, "client_id": client_id or self._ids.ulid()}
        return await self._calls.ask(OpenedOut, "POST", f"{API}/conversations", body=body)

    async def set_state(self, conversation_id: str, state: ConversationState) -> ConversationOut:
        """File a conversation for oneself only."""
        return await self._calls.ask(
            ConversationOut,
            "PATCH",
            f"{API}/conversations/{conversation_id}",
            body={"state": state.value},
        )

    async def messages(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> MessagesOut:
        """One page, oldest first: before or after a seq, else the newest."""
        given = {"before": before, "after": after, "limit": limit}
        params = {name: value for name, value in given.items() if value is not None}
        return await self._read(MessagesOut, f"/conversations/{conversation_id}/messages", params)

    async def send(
        self, conversation_id: str, content: str, *, client_id: str | None = None, booking_id: str | None = None
    ) -> MessageOut:
        """Send a message; it is durable when this returns.

        Args:
            booking_id: the booking of this conversation that the message is about.
            client_id: sending again with the same one returns the first message and creates nothing; drawn if not
                given. Give your own to settle, after an :class:`~greenroom.client.Unreachable`, what became of it.
        """
        body = {"content": content, "client_id": client_id or self._ids.ulid()}
        if booking_id is not None:
            body["booking_id"] = booking_id
        return await self._calls.ask(
            MessageOut, "POST", f"{API}/conversations/{conversation_id}/messages", body=body
        )

    async def edit(self, message_id: str, content: str, *, if_version: int | None = None) -> MessageOut:
        """Say something else instead; with ``if_version``, only if nobody did so before."""
        headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        return await self._calls.ask(
            MessageOut,
            "PATCH",
            f"{API}/messages/{message_id}",
            body={"content": content},
            headers=headers,
        )

    async def delete(self, message_id: str) -> None:
        """Take a message's content away for everybody."""
        await self._calls.do("DELETE", f"{API}/messages/{message_id}")

    async def versions(self, message_id: str) -> MessageVersionsOut:
        """What a message has said, oldest first."""
        return await self._read(MessageVersionsOut, f"/messages/{message_id}/edits")

    async def react(self, message_id: str, emoji: str) -> None:
        """Put an emoji on a message."""
        await self._calls.do("PUT", f"{API}/messages/{message_id}/reactions/{quote(emoji)}")

    async def unreact(self, message_id: str, emoji: str) -> None:
        """Take one's emoji off a message."""
        await self._calls.do("DELETE", f"{API}/messages/{message_id}/reactions/{quote(emoji)}")

    async def mark_read(self, conversation_id: str, seq: int) -> UnreadOut:
        """Everything up to ``seq`` was read; a mark never moves back."""
        return await self._mark(conversation_id, "read", seq)

    async def mark_delivered(self, conversation_id: str, seq: int) -> UnreadOut:
        """Everything up to ``seq`` has reached this device; a mark never moves back."""
        return await self._mark(conversation_id, "delivered", seq)

    async def set_typing(self, conversation_id: str, is_typing: bool) -> None:
        """Tell the other participant; it lapses by itself after some seconds."""
        await self._calls.do(
            "POST", f"{API}/conversations/{conversation_id}/typing", body={"is_typing": is_typing}
        )

    async def unread(self) -> UnreadOut:
        return await self._read(UnreadOut, "/unread")

    async def instructors(
        self, *, limit: int = 20, cursor: str | None = None, name: str | None = None
    ) -> InstructorsOut:
        """By name; ``name`` is a part of it, without regard to case and accents."""
        params: dict[str, str | int | float] = {"limit": limit}
        if name is not None:
            params["name"] = name
        if cursor is not None:
            params["cursor"] = cursor
        return await self._read(InstructorsOut, "/instructors", params)

    # Search.

    async def search(
        self,
        text: str,
        *,
        city: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 20,
        cursor: str | None = None,
        debug: bool = False,
        skip: Collection[SkippedStage] = (),
        simulate_high_load: bool = False,
    ) -> SearchOut:
        """Look for lessons in one's own words; ``next_cursor`` of the answer leads on.

        Args:
            text: at most 300 characters.
            city: its id, as :meth:`cities` tells it.
            near: latitude and longitude in degrees (WGS 84).
            limit: 1 to 100 lessons.
            debug, skip, simulate_high_load: for admins.
        """
        params: dict[str, str | int | float] = {"q": text, "limit": limit}
        if city is not None:
            params["city"] = city
        if near is not None:
            # In full: the shortest form of a small number would be one with an exponent.
            params["lat"], params["lng"] = (f"{degrees:.7f}" for degrees in near)
        if cursor is not None:
            params["cursor"] = cursor
        if debug:
            params["debug"] = "true"
        if skip:
            params["skip"] = ",".join(sorted(skip))
        if simulate_high_load:
            params["simulate_high_load"] = "true"
        return await self._read(SearchOut, "/search", params)

    async def search_pages(
        self,
        text: str,
        *,
        city: str | None = None,
        near: tuple[float, float] | None = None,
        limit: int = 20,
    ) -> AsyncIterator[SearchOut]:
        """Look as with :meth:`search`, page after page; a server tells of at most 200 lessons."""
        cursor = None
        while True:
            page = await self.search(text, city=city, near=near, limit=limit, cursor=cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def click_result(self, query_id: str, service_id: str, *, position: int) -> None:
        """Say that a result was opened, as who searched; ``position`` counts from 0. What it is worth is not told."""
        await self._calls.do(
            "POST",
            f"{API}/search/{query_id}/click",
            body={"service_id": service_id, "position": position},
        )

    async def cities(self) -> CitiesOut:
        """The cities one may search in, by name."""
        return await self._read(CitiesOut, "/cities")

    # Bookings.

    async def book(
        self,
        instructor_id: str,
        service_id: str,
        starts_at: datetime,
        *,
        duration_minutes: int,
        note: str | None = None,
    ) -> BookingOut:
        """Book a lesson, as a student; ``starts_at`` is aware. Booking the same again returns the first booking."""
        body: dict[str, object] = {
            "instructor_id": instructor_id,
            "service_id": service_id,
            "starts_at": starts_at.isoformat(),
            "duration_minutes": duration_minutes,
        }
        if note is not None:
            body["note"] = note
        return await self._calls.ask(BookingOut, "POST", f"{API}/bookings", body=body)

    async def bookings(
        self, *, state: BookingTense | None = None, limit: int = 20, cursor: str | None = None
    ) -> BookingsOut:
        """One page: upcoming ones soonest first, past ones or all latest first."""
        given = {"state": state and state.value, "limit": limit, "cursor": cursor}
        params = {name: value for name, value in given.items() if value is not None}
        return await self._read(BookingsOut, "/bookings", params)

    async def booking(self, booking_id: str) -> BookingOut:
        return await self._read(BookingOut, f"/bookings/{booking_id}")

    async def cancel_booking(self, booking_id: str, *, reason: str | None = None) -> BookingOut:
        """Call a lesson off before it begins."""
        body = {} if reason is None else {"reason": reason}
        return await self._calls.ask(BookingOut, "POST", f"{API}/bookings/{booking_id}/cancel", body=body)

    async def reschedule_booking(self, booking_id: str, starts_at: datetime) -> BookingOut:
        """Move a lesson that has not begun; ``starts_at`` is aware."""
        body = {"starts_at": starts_at.isoformat()}
        return await self._calls.ask(BookingOut, "POST", f"{API}/bookings/{booking_id}/reschedule", body=body)

    async def complete_booking(self, booking_id: str) -> BookingOut:
        """Note that a lesson was given, as its instructor."""
        return await self._calls.ask(BookingOut, "POST", f"{API}/bookings/{booking_id}/complete")

    # Events.

    async def sync(self) -> SyncOut:
        """State at ``cursor``; the events after it lead from there to now."""
        return await self._read(SyncOut, "/sync")

    async def event_log(self, *, after: str | None = None, limit: int = 100, wait_s: float = 0.0) -> EventLogOut:
        """Events after a cursor as one answer; with ``wait_s`` (at most 25) it waits for some if there are none."""
        params: dict[str, str | int | float] = {"limit": limit, "wait": wait_s}
        if after is not None:
            params["after"] = after
        return await self._read(EventLogOut, "/events/log", params)

    def events(
        self, cursor: str | None = None, *, on_state: StateListener | None = None
    ) -> AbstractAsyncContextManager[EventStream]:
        """Follow events from a cursor on, or from now.

        Args:
            on_state: told when events begin and cease to arrive.
        """
        return open_event_stream(self._http, self._calls, cursor=cursor, random=self._random, on_state=on_state)

    def _signed_in(self, signed_in: SignedInOut) -> SignedInOut:
        self.token = signed_in.access_token
        return signed_in

    async def _mark(self, conversation_id: str, mark: str, seq: int) -> UnreadOut:
        return await self._calls.ask(
            UnreadOut,
            "POST",
            f"{API}/conversations/{conversation_id}/{mark}",
            body={"seq": seq},
        )

    async def _read(self, answer: type[M], path: str, params: Params | None = None) -> M:
        return await self._calls.ask(answer, "GET", f"{API}{path}", params=params)


@asynccontextmanager
async def connect(
    base_url: str,
    *,
    token: str | None = None,
    timeout_s: float = CALL_TIMEOUT_S,
    random: Random | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Greenroom]:
    """Deal with one server as one user; connections are kept open until the block ends.

    Args:
        token: of an earlier session.
        timeout_s: of each call, further tries included.
        random: where pauses and client ids are drawn from; the system's by default.
        transport: httpx's, for a proxy or certificates of one's own.
    """
    async with httpx.AsyncClient(
        base_url=base_url, timeout=httpx.Timeout(timeout_s), transport=transport, follow_redirects=False
    ) as http:
        greenroom = Greenroom(http, timeout_s=timeout_s, random=random or SystemRandom())
        greenroom.token = token
        yield greenroom
