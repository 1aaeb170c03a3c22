from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.storage.bus_wire import WireDown
from greenroom.storage.redis import BadRedisUrl, RedisUrl
from greenroom.storage.redis.cluster_slots import homes, slot_of
from greenroom.storage.redis.resp import DEPTH_MAX, ErrorReply, Oversized, Parser, ProtocolBroken, Reply, encode
from greenroom.storage.redis.url import Address

SPOKEN = (
    b"+OK\r\n:42\r\n$-1\r\n*-1\r\n*0\r\n-ERR no\r\n$0\r\n\r\n"
    b"*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nb\r\n\r\n\r\n*2\r\n*1\r\n:1\r\n$1\r\nx\r\n$12\r\nabcdefghijkl\r\n:7\r\n"
)
MEANT: list[Reply] = [
    b"OK",
    42,
    None,
    None,
    [],
    ErrorReply("ERR no"),
    b"",
    [b"message", b"ch", b"b\r\n\r\n"],
    [[1], b"x"],
    Oversized(12),
    7,
]


@given(cuts=st.lists(st.integers(0, len(SPOKEN)), max_size=12))
def test_replies_are_the_same_however_the_bytes_come(cuts: list[int]) -> None:
    parser = Parser(bulk_bytes_max=10)
    edges = [0, *sorted(cuts), len(SPOKEN)]
    heard = [reply for a, b in itertools.pairwise(edges) for reply in parser.feed(SPOKEN[a:b])]
    assert heard == MEANT


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_replies_or_refused(data: bytes) -> None:
    with contextlib.suppress(ProtocolBroken):
        Parser().feed(data)


@pytest.mark.parametrize(
    "data", [b"*1\r\n" * (DEPTH_MAX + 1), b"*100001\r\n", b"+" + b"x" * 20_000, b"$x\r\n", b"$1\r\nabc", b"?\r\n"]
)
def test_what_is_out_of_bounds_or_no_protocol_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        Parser().feed(data)


def test_commands_are_written_as_arrays_of_strings() -> None:
    assert encode([(b"PING",), (b"PUBLISH", b"c", b"\r\n")]) == (
        b"*1\r\n$4\r\nPING\r\n*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$2\r\n\r\n\r\n"
    )


def test_a_slot_is_as_the_cluster_specification_has_it() -> None:
    assert slot_of(b"123456789") == 0x31C3


def test_channels_live_where_their_slots_do() -> None:
    asked = Address("seed", 1)
    slots: Reply = [[0, 8_000, [b"one", 7000, b"id"]], [8_001, 16_383, [b"", 7001, b"id"], [b"replica", 7002]]]
    names = [b"a", b"b", b"c", b"d"]
    found = homes(slots, names, asked=asked)
    assert found == {
        name: Address("one", 7000) if slot_of(name) <= 8_000 else Address("seed", 7001) for name in names
    }


@pytest.mark.parametrize("slots", [[], [[0, 1, [b"one", 7000]]], [[b"x"]], b"OK", None])
def test_a_cluster_without_a_node_for_a_channel_is_down(slots: Reply) -> None:
    with pytest.raises(WireDown):
        homes(slots, [b"a"], asked=Address("seed", 1))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("redis://r", RedisUrl((Address("r", 6379),), None, None, False, False)),
        ("rediss://u:p%40ss@r:6380/3", RedisUrl((Address("r", 6380),), "u", "p@ss", False, True)),
        ("redis://:secret@[::1]:1", RedisUrl((Address("::1", 1),), None, "secret", False, False)),
        ("unix:///run/r.sock", RedisUrl((Address("/run/r.sock", 0),), None, None, False, False)),
        (
            "redis+cluster://a,b:7001",
            RedisUrl((Address("a", 6379), Address("b", 7001)), None, None, True, False),
        ),
    ],
)
def test_a_url_names_its_parts(text: str, url: RedisUrl) -> None:
    assert RedisUrl.parse(text) == url


@pytest.mark.parametrize(
    "text", ["r:6379", "http://r", "redis://", "redis://a,b", "redis://r:x", "unix://r/x", ""]
)
def test_a_url_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadRedisUrl):
        RedisUrl.parse(text)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(RedisUrl.parse("redis://u:secret@r"))
