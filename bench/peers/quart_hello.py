"""Quart-Trio and nothing else, on greenroom's own server: what a request costs before anything is done for it.

``python -m bench.peers.quart_hello`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import trio
from quart_trio import QuartTrio

from greenroom.http.serving import Limits, Server, listen

app = QuartTrio(__name__, static_folder=None)


@app.get("/")
async def hello() -> str:
    """Answer."""
    return "hello"


async def main() -> None:
    """Serve on a port of the kernel's choice."""
    limits = Limits()
    listeners = await listen("127.0.0.1", 0, limits=limits)
    print(listeners[0].socket.getsockname()[1], flush=True)
    await Server(app, listeners, limits=limits).run()


if __name__ == "__main__":
    trio.run(main)
