"""Serving: the accept loop, one task per connection, and what neither may be made to do by a stranger's bytes.

llhttp (through httptools) says what a request's bytes mean; everything around it is ours: listening, accepting, reading,
writing, timing, closing and ASGI. wsproto says the same of a WebSocket's frames. Hypercorn contributes the lifespan.
"""

from greenroom.http.serving.forwarded import TrustedProxies
from greenroom.http.serving.limits import Limits, room_for_connections
from greenroom.http.serving.listening import Listener, adopt, listen
from greenroom.http.serving.response_head import Refusal
from greenroom.http.serving.server import Server
from greenroom.http.serving.statistics import Fault, ServingStatistics

__all__ = [
    "Fault",
    "Limits",
    "Listener",
    "Refusal",
    "Server",
    "ServingStatistics",
    "TrustedProxies",
    "adopt",
    "listen",
    "room_for_connections",
]
