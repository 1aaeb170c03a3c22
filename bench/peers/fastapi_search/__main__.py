"""Serves it with uvicorn, one process, as fast as uvicorn goes."""

from __future__ import annotations

import logging
import os
import socket
import sys

import uvicorn

from bench.peers.fastapi_search.app import DATABASE, MODELS


def main() -> None:
    """Serve on a port of the kernel's choice, printed once it is bound: requests wait there for the start."""
    # A line per call of a model, as the packages it uses would have it.
    logging.disable(logging.INFO)
    os.environ[DATABASE] = sys.argv[1]
    if len(sys.argv) > 2:
        os.environ[MODELS] = sys.argv[2]
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(
        "bench.peers.fastapi_search.app:app",
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
