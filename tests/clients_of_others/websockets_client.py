"""``python websockets_client.py URL``: follow a user's events with the ``websockets`` library, on asyncio.

Prints each event as a line of JSON, until it is ended.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - what this client is made for
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

RECONNECT_S = 0.3


async def follow(url: str) -> None:
    last: str | None = None
    while True:
        try:
            async with connect(url if last is None else f"{url}&last_event_id={last}") as socket:
                async for text in socket:
                    frame = json.loads(text)
                    print(json.dumps(frame), flush=True)
                    last = frame["id"] or last
        except (OSError, WebSocketException):
            pass
        await asyncio.sleep(RECONNECT_S)


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1]))
