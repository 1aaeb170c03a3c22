"""Shapes of REST answers; what events carry too is in :mod:`greenroom.schema.wire`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import JsonValue

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.events import Presence
from greenroom.schema.records import MessageEdit
from greenroom.schema.search.places import RegionKind
from greenroom.schema.search.understood import Weekday
from greenroom.schema.wire import BookingOut, ConversationOut, MessageOut, Moment, ServiceOut, UserOut, Wire


class SignedInOut(Wire):
    """``access_token`` is shown this once; it is good until ``expires_at``."""

    user: UserOut
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_at: Moment


class CaptchaOut(Wire):
    """A widget of Cloudflare Turnstile. A token is to be earned for the action ``login``."""

    provider: Literal["turnstile"] = "turnstile"
    site_key: str
    script_url: str


class ConversationsOut(Wire):
    """``next_cursor`` is null on the last page."""

    items: list[ConversationOut]
    next_cursor: str | None
    total_unread: int


class OpenedOut(Wire):
    conversation: ConversationOut
    message: MessageOut | None


class MessagesOut(Wire):
    """Oldest first."""

    items: list[MessageOut]
    has_more: bool


class MessageVersionOut(Wire):
    """What a message said from ``written_at`` on."""

    version: int
    content: str
    written_at: Moment

    @classmethod
    def of(cls, edit: MessageEdit) -> Self:
        return cls(version=edit.version, content=edit.content, written_at=edit.written_at)


class MessageVersionsOut(Wire):
    """Oldest first, the current version last."""

    items: list[MessageVersionOut]


class BookingsOut(Wire):
    """``next_cursor`` is null on the last page."""

    items: list[BookingOut]
    next_cursor: str | None


class UnreadOut(Wire):
    unread_count: int
    total_unread: int


class EventOut(Wire):
    id: str
    event: str
    data: dict[str, JsonValue]
    at: Moment


class EventLogOut(Wire):
    """``cursor`` is where to go on, also after an empty answer."""

    events: list[EventOut]
    cursor: str
    has_more: bool


class SyncOut(Wire):
    """State at ``cursor``: applying the events after it gives the state now. ``presence`` is of conversation peers."""

    conversations: list[ConversationOut]
    total_unread: int
    presence: list[Presence]
    cursor: str


class TicketOut(Wire):
    ticket: str
    expires_at: Moment


class InstructorOut(Wire):
    id: str
    display_name: str
    online: bool
    services: list[ServiceOut]


class AreaOut(Wire):
    """A region where lessons are given; ``name`` is its id where the region is no longer known."""

    id: str
    name: str


class FreeTimeOut(Wire):
    weekday: Weekday
    starts: str
    ends: str

    @classmethod
    def of(cls, slot: WeeklySlot) -> Self:
        return cls(
            weekday=list(Weekday)[slot.weekday - 1], starts=_time(slot.from_minute), ends=_time(slot.to_minute)
        )


class RegionOut(AreaOut):
    """``within`` names what it lies in, the nearest first."""

    kind: RegionKind
    within: list[str]


class RegionsOut(Wire):
    items: list[RegionOut]


class CategoryOut(Wire):
    """A kind of lesson; ``group`` is what it is a part of."""

    slug: str
    name: str
    group: str


class CategoriesOut(Wire):
    items: list[CategoryOut]


class InstructorProfileOut(InstructorOut):
    """``rating`` is null of nobody's ratings, ``response_minutes`` if it is not known; times are in ``timezone``."""

    bio: str
    rating: float | None
    rating_count: int
    response_minutes: int | None
    home_city: str | None
    timezone: str
    areas: list[AreaOut]
    availability: list[FreeTimeOut]


class InstructorsOut(Wire):
    items: list[InstructorOut]
    next_cursor: str | None


class HealthOut(Wire):
    """``degraded``: everything works, but news from other workers may be some seconds late."""

    status: Literal["ok", "degraded"] = "ok"


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
