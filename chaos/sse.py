"""Reading server-sent events from bytes, as far as this server writes them.

Source: HTML Living Standard, 9.2.6 "Interpreting an event stream".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """A whole event. ``id`` is None where the event leaves the cursor alone."""

    name: str
    data: str
    id: str | None


class SseParser:
    """Turns pieces of a body, cut anywhere, into events; half an event at the end of a connection is forgotten."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, piece: bytes) -> list[ServerEvent]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        return [event for line in lines if (event := self._take(line.decode())) is not None]

    def _take(self, line: str) -> ServerEvent | None:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            before = self._fields.get(name)
            self._fields[name] = f"{before}\n{value}" if name == "data" and before is not None else value
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        return ServerEvent(fields.get("event", "message"), fields["data"], fields.get("id"))
