from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from greenroom.schema.ids import UserId
from greenroom.storage.bus_codec import Codec, Unreadable
from greenroom.storage.bus_wire import Payload
from greenroom.storage.ports import BusNote, Ephemeral, GrownTo, Present
from tests.storage.bus.notes import EPOCH, KEY, MAYA, ONE_OF_EACH, TOMAS, a_hint

SIZE = 7_999


def a_codec(key: bytes = KEY, *, channels: int = 1, size: int = SIZE) -> Codec:
    return Codec(key, channels=channels, payload_bytes_max=size)


def payloads(codec: Codec, *notes: BusNote) -> list[Payload]:
    by_channel: dict[int, list[bytes]] = defaultdict(list)
    for channel, body in codec.bodies(notes):
        by_channel[channel].append(body)
    return [
        codec.seal("worker-a.1", channel, 1, group)
        for channel, bodies in by_channel.items()
        for group in codec.pack(bodies)
    ]


def passed_on(codec: Codec, *notes: BusNote) -> list[BusNote]:
    return [note for payload in payloads(codec, *notes) for note in codec.open(payload).notes]


@pytest.mark.parametrize("note", ONE_OF_EACH, ids=lambda note: type(note).__name__)
def test_a_note_comes_back_as_it_was(note: BusNote) -> None:
    assert passed_on(a_codec(), note) == [note]


def test_no_payload_is_longer_than_the_wire_carries() -> None:
    users = tuple(UserId(f"01JNB3N5Z0{number:016}") for number in range(1_000))
    notes = [
        a_hint(1, text="é" * 10_000),
        *(a_hint(seq, text="x" * 700) for seq in range(1, 60)),
        Ephemeral(users, "presence", "presence:x", "{}"),
        Present("worker-a.1", users, 30.0),
    ]
    assert all(len(payload.body) <= SIZE for payload in payloads(a_codec(), *notes))


def test_a_hint_that_is_too_long_becomes_the_position_it_leads_to() -> None:
    assert passed_on(a_codec(), a_hint(9, events=5, text="x" * 3_000)) == [GrownTo(MAYA, EPOCH, 9)]


def test_a_note_to_too_many_goes_in_parts_that_miss_nobody() -> None:
    users = tuple(UserId(f"01JNB3N5Z0{number:016}") for number in range(1_000))
    arrived = passed_on(a_codec(), Ephemeral(users, "presence", "presence:x", "{}"))
    assert len(arrived) > 1
    assert tuple(user for note in arrived if isinstance(note, Ephemeral) for user in note.user_ids) == users


def test_users_keep_to_their_channel_whatever_the_note() -> None:
    codec = a_codec(channels=16)
    notes = [a_hint(1), a_hint(1, user_id=TOMAS), Ephemeral((MAYA, TOMAS), "typing", "typing:c", "{}")]
    channels: dict[str, set[int]] = defaultdict(set)
    for payload in payloads(codec, *notes):
        for note in codec.open(payload).notes:
            for user_id in note.user_ids if isinstance(note, Ephemeral) else [note.user_id]:  # type: ignore[union-attr]
                channels[user_id].add(payload.channel)
    assert {user_id: len(found) for user_id, found in channels.items()} == {MAYA: 1, TOMAS: 1}


def test_a_payload_moved_to_another_channel_is_refused() -> None:
    codec = a_codec(channels=16)
    [payload] = payloads(codec, a_hint(1))
    with pytest.raises(Unreadable):
        codec.open(Payload((payload.channel + 1) % 16, payload.body))


@pytest.mark.parametrize("is_last", [False, True])
def test_of_ones_own_payloads_the_head_is_read_as_of_others(*, is_last: bool) -> None:
    codec = a_codec()
    bodies = [body for _, body in codec.bodies([a_hint(1)])]
    payload = codec.seal("worker-a.1", 0, 12, bodies, is_last=is_last)
    assert codec.open(payload, own="worker-a.1") == replace(codec.open(payload), notes=())
    assert codec.open(payload, own="worker-a.2") == codec.open(payload)


def test_of_streams_that_nobody_here_follows_nothing_is_read() -> None:
    codec = a_codec()
    here = a_hint(1)
    [payload] = payloads(
        codec, here, a_hint(1, user_id=TOMAS), GrownTo(TOMAS, EPOCH, 9), Present("w", (TOMAS,), 1.0)
    )

    read = codec.open(payload, wants={MAYA}.__contains__)

    assert read.notes == (here, Present("w", (TOMAS,), 1.0))
    assert read.notes_told == 4


@pytest.mark.parametrize("note", ONE_OF_EACH, ids=lambda note: type(note).__name__)
def test_a_text_of_many_lines_stays_one_note(note: BusNote) -> None:
    lines = a_hint(1, text="one\ntwo\r\nthree\u2028four\x85five")
    assert passed_on(a_codec(), lines, note) == [lines, note]


def test_what_looks_like_ones_own_is_held_to_key_and_channel() -> None:
    codec = a_codec(channels=16)
    [forged] = payloads(a_codec(b"another"), a_hint(1))
    with pytest.raises(Unreadable):
        codec.open(forged, own="worker-a.1")
    [payload] = payloads(codec, a_hint(1))
    with pytest.raises(Unreadable):
        codec.open(Payload((payload.channel + 1) % 16, payload.body), own="worker-a.1")


def test_another_key_is_refused() -> None:
    [payload] = payloads(a_codec(b"another"), a_hint(1))
    with pytest.raises(Unreadable):
        a_codec().open(payload)


@pytest.mark.parametrize("at", [0, 1, 22, 23, 60, -1])
def test_a_changed_byte_is_refused(at: int) -> None:
    [payload] = payloads(a_codec(), a_hint(1))
    changed = bytearray(payload.body)
    changed[at] ^= 1
    with pytest.raises(Unreadable):
        a_codec().open(Payload(0, bytes(changed)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"t":"hint","user":"me","epoch":"e","events":[[1,"n","{}","2026-03-02T09:30:00Z"]]}',
        b'{"t":"hint","user":"01JNB3N5Z0M4YA00000000000A","epoch":"e","events":[]}',
        b'{"t":"hint","user":"01JNB3N5Z0M4YA00000000000A","epoch":"e","events":[[0,"n","{}","2026-03-02T09:30:00Z"]]}',
        b'{"t":"grown","user":"01JNB3N5Z0M4YA00000000000A","epoch":"e","seq":"many"}',
        b'{"t":"role","role":"admin"}',
        b'{"t":"roll_call","worker":"a","role":"admin"}',
        b"[]",
        b"{",
    ],
)
def test_a_right_signature_does_not_excuse_wrong_content(body: bytes) -> None:
    codec = a_codec()
    with pytest.raises(Unreadable):
        codec.open(codec.seal("worker-a.1", 0, 1, [body]))
