"""Events are read the same, wherever the network cuts the bytes."""

from __future__ import annotations

from chaos.sse import ServerEvent, SseParser

BODY = b"retry: 2000\nid: v1.x.1\nevent: ready\ndata: {}\n\nevent: typing\ndata: 1\ndata: 2\n\n: a comment\n\n"
EVENTS = [ServerEvent("ready", "{}", "v1.x.1"), ServerEvent("typing", "1\n2", None)]


def test_events_are_read_with_name_data_and_id() -> None:
    assert SseParser().feed(BODY) == EVENTS


def test_events_survive_being_cut_anywhere() -> None:
    for cut in range(len(BODY)):
        parser = SseParser()
        assert parser.feed(BODY[:cut]) + parser.feed(BODY[cut:]) == EVENTS


def test_half_an_event_is_not_an_event() -> None:
    assert SseParser().feed(b"id: v1.x.1\nevent: ready\ndata: {}\n") == []
