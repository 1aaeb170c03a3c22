"""Notes as bytes, and back: signed, versioned JSON.

Whoever can write to a shared Redis could otherwise put words into anybody's mouth, or move a stream past events that it
then never shows. So every payload carries an HMAC under a key that only the database knows; what fails it is not even
parsed. What passes is checked for type and size all the same. Nothing is ever unpickled or looked up by name.

::

    2<22 characters of HMAC-SHA-256>{"w": publisher, "c": channel, "n": number, "bye": is last}
    <a note>
    <a note>

A note is a line, so that a reader can pass over those that concern nobody here: that is most of them where there are many workers.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, assert_never
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from greenroom.schema.ids import ULID_PATTERN, SessionId, UserId
from greenroom.schema.records import StoredEvent
from greenroom.storage.bus_wire import Payload
from greenroom.storage.ports import BusNote, Ephemeral, GrownTo, Hint, Present, Revocation, RollCall

VERSION: Final = b"2"
_SIGNATURE_BYTES: Final = 16
_HEAD_BYTES: Final = len(VERSION) + 22

_ENVELOPE_BYTES: Final = 160
"""Version, signature, and everything of the JSON but the notes, at its longest."""

PUBLISHER_PATTERN: Final = r"^[A-Za-z0-9_.-]{1,64}$"


_HINTED: Final = re.compile(rb'\{"t":"(?:hint|grown)","user":"([0-9A-Z]{26})"')
"""What a note about a user's stream begins with, as :func:`_fields` has it."""


class Unreadable(Exception):
    """Not written by a worker of this database; nothing in it may be used."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one payload says.

    Attributes:
        number: counts the publisher's payloads on this channel, from 1.
        is_last: the publisher leaves in order and will not be heard again.
        notes: those that were read.
        notes_told: how many there were.
    """

    publisher: str
    channel: int
    number: int
    is_last: bool
    notes: tuple[BusNote, ...]
    notes_told: int


class Codec:
    """Writes and reads payloads.

    Args:
        key: the secret that workers of one database share.
        channels: how many channels notes are spread over, by user.
        payload_bytes_max: the longest payload to make.
    """

    def __init__(self, key: bytes, *, channels: int, payload_bytes_max: int) -> None:
        self._key = key
        self._channels = channels
        self._notes_bytes_max = payload_bytes_max - _ENVELOPE_BYTES

    def bodies(self, notes: Sequence[BusNote]) -> Iterator[tuple[int, bytes]]:
        """Write notes as (channel, text) pairs, none too long for a payload.

        A hint that is too long travels as the position it leads to, a note to many users in parts. What is too long
        even then is left out: an ephemeral event beyond what clients can cause.
        """
        for note in notes:
            for channel, part in self._parts(note):
                for text in self._fitting(part):
                    yield channel, text

    def _fitting(self, note: BusNote) -> Iterator[bytes]:
        text = _text(note)
        if len(text) <= self._notes_bytes_max:
            yield text
        else:
            for smaller in _smaller(note):
                yield from self._fitting(smaller)

    def pack(self, bodies: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
        """Group texts of one channel into as few payloads as they fit in."""
        group: list[bytes] = []
        size = 0
        for body in bodies:
            if group and size + len(body) + 1 > self._notes_bytes_max:
                yield tuple(group)
                group, size = [], 0
            group.append(body)
            size += len(body) + 1
        if group:
            yield tuple(group)

    def seal(
        self, publisher: str, channel: int, number: int, bodies: Sequence[bytes], *, is_last: bool = False
    ) -> Payload:
        """Make a payload of texts that :meth:`pack` put together; without any it is a sign of life."""
        bye = ',"bye":true' if is_last else ""
        head = f'{{"w":"{publisher}","c":{channel},"n":{number}{bye}}}'.encode()
        # JSON has no line breaks of its own, and escapes those in strings.
        text = b"\n".join((head, *bodies))
        return Payload(channel, VERSION + self._signature(text) + text)

    def open(
        self, payload: Payload, *, own: str | None = None, wants: Callable[[UserId], bool] | None = None
    ) -> Envelope:
        """Read a payload.

        Args:
            own: a publisher whose notes nobody wants, as they were delivered when it published them. All that a worker
                says comes back to it.
            wants: asked about each user whose stream grew, whether to read on; by default everything is read.

        Raises:
            Unreadable: it is forged, damaged, of another version, or came by another channel than it was written for.
        """
        body = payload.body
        if not body.startswith(VERSION) or len(body) < _HEAD_BYTES:
            raise Unreadable("not a payload of this version")
        text = body[_HEAD_BYTES:]
        if not hmac.compare_digest(body[len(VERSION) : _HEAD_BYTES], self._signature(text)):
            raise Unreadable("the signature does not match")
        first, *lines = text.split(b"\n")
        try:
            head = _Head.model_validate_json(first)
            wanted = (
                () if head.w == own else lines if wants is None else [n for n in lines if _is_wanted(n, wants)]
            )
            # All at once, which takes three quarters of the time that one by one would.
            notes = tuple(note.note() for note in _NOTES.validate_json(b"[" + b",".join(wanted) + b"]"))
        except ValidationError as exc:
            raise Unreadable("the signature is right but the content is not") from exc
        if head.c != payload.channel:
            raise Unreadable("written for another channel")
        return Envelope(head.w, head.c, head.n, head.bye, notes, len(lines))

    def _signature(self, text: bytes) -> bytes:
        return urlsafe_b64encode(hmac.digest(self._key, text, "sha256")[:_SIGNATURE_BYTES])[:22]

    def _parts(self, note: BusNote) -> Iterator[tuple[int, BusNote]]:
        """Spread a note over the channels of those whom it concerns."""
        match note:
            case Hint(user_id=user_id) | GrownTo(user_id=user_id) | Revocation(user_id=user_id):
                yield self._channel(user_id), note
            case Ephemeral(user_ids=user_ids):
                if self._channels == 1:
                    yield 0, note
                    return
                by_channel: dict[int, list[UserId]] = defaultdict(list)
                for user_id in user_ids:
                    by_channel[self._channel(user_id)].append(user_id)
                for channel, some in by_channel.items():
                    yield channel, Ephemeral(tuple(some), note.name, note.key, note.data)
            case Present(worker=worker) | RollCall(worker=worker):
                yield self._channel(worker), note
            case _:
                assert_never(note)

    def _channel(self, key: str) -> int:
        return crc32(key.encode()) % self._channels


def _is_wanted(text: bytes, wants: Callable[[UserId], bool]) -> bool:
    hinted = _HINTED.match(text)
    return hinted is None or wants(UserId(hinted[1].decode()))


def _text(note: BusNote) -> bytes:
    return to_json(_fields(note))


def _smaller(note: BusNote) -> Iterator[BusNote]:
    """Say the same in less, or in two halves."""
    match note:
        case Hint(user_id, epoch, events):
            yield GrownTo(user_id, epoch, events[-1].seq)
        case Ephemeral(user_ids) | Present(_, user_ids) if len(user_ids) > 1:
            middle = len(user_ids) // 2
            yield replace(note, user_ids=user_ids[:middle])
            yield replace(note, user_ids=user_ids[middle:])


def _fields(note: BusNote) -> dict[str, Any]:
    match note:
        case Hint(user_id, epoch, events):
            rows = [[event.seq, event.name, event.data, event.at.isoformat()] for event in events]
            return {"t": "hint", "user": user_id, "epoch": epoch, "events": rows}
        case GrownTo(user_id, epoch, last_seq):
            return {"t": "grown", "user": user_id, "epoch": epoch, "seq": last_seq}
        case Ephemeral(user_ids, name, key, data):
            return {"t": "ephemeral", "users": user_ids, "name": name, "key": key, "data": data}
        case Revocation(user_id, session_id):
            return {"t": "revocation", "user": user_id, "session": session_id}
        case Present(worker, user_ids, lease_s):
            return {"t": "present", "worker": worker, "users": user_ids, "lease_s": lease_s}
        case RollCall(worker):
            return {"t": "roll_call", "worker": worker}
        case _:
            assert_never(note)


# What may be read, type by type. A worker of a newer version must speak another version of the whole.

_Ulid = Annotated[str, Field(pattern=ULID_PATTERN)]
_Worker = Annotated[str, Field(pattern=PUBLISHER_PATTERN)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Note(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _HintNote(_Note):
    t: Literal["hint"]
    user: _Ulid
    epoch: _Name
    events: Annotated[list[tuple[Annotated[int, Field(gt=0)], _Name, str, datetime]], Field(min_length=1)]

    def note(self) -> BusNote:
        user_id = UserId(self.user)
        events = tuple(StoredEvent(user_id, seq, name, data, at) for seq, name, data, at in self.events)
        return Hint(user_id, self.epoch, events)


class _GrownNote(_Note):
    t: Literal["grown"]
    user: _Ulid
    epoch: _Name
    seq: Annotated[int, Field(gt=0)]

    def note(self) -> BusNote:
        return GrownTo(UserId(self.user), self.epoch, self.seq)


class _EphemeralNote(_Note):
    t: Literal["ephemeral"]
    users: list[_Ulid]
    name: _Name
    key: _Name
    data: str

    def note(self) -> BusNote:
        return Ephemeral(tuple(map(UserId, self.users)), self.name, self.key, self.data)


class _RevocationNote(_Note):
    t: Literal["revocation"]
    user: _Ulid
    session: _Ulid

    def note(self) -> BusNote:
        return Revocation(UserId(self.user), SessionId(self.session))


class _PresentNote(_Note):
    t: Literal["present"]
    worker: _Worker
    users: list[_Ulid]
    lease_s: Annotated[float, Field(ge=0, le=600)]

    def note(self) -> BusNote:
        return Present(self.worker, tuple(map(UserId, self.users)), self.lease_s)


class _RollCallNote(_Note):
    t: Literal["roll_call"]
    worker: _Worker

    def note(self) -> BusNote:
        return RollCall(self.worker)


_AnyNote = _HintNote | _GrownNote | _EphemeralNote | _RevocationNote | _PresentNote | _RollCallNote
_NOTES: Final = TypeAdapter(list[Annotated[_AnyNote, Field(discriminator="t")]])


class _Head(_Note):
    w: _Worker
    c: int
    n: Annotated[int, Field(gt=0)]
    bye: bool = False
