"""``python httpx_sse_client.py URL``: follow a user's events with ``httpx-sse``.

Prints each event as a line of JSON, until it is ended.
"""

from __future__ import annotations

import json
import sys
from threading import Event

import httpx
from httpx_sse import connect_sse

RECONNECT_S = 0.3


def follow(url: str) -> None:
    last = ""
    with httpx.Client(verify=False, trust_env=False, timeout=None) as client:  # noqa: S113, S501 - loopback
        while True:
            try:
                with connect_sse(client, "GET", url, headers={"Last-Event-ID": last} if last else {}) as source:
                    for event in source.iter_sse():
                        shown = {"id": event.id, "event": event.event, "data": json.loads(event.data)}
                        print(json.dumps(shown), flush=True)
                        last = event.id
            except httpx.TransportError:
                pass
            Event().wait(RECONNECT_S)


if __name__ == "__main__":
    follow(sys.argv[1])
