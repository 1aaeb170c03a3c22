"""Serving: the accept loop, one task per connection, and what neither may be made to do by a stranger's bytes.

Hypercorn's HTTP/1.1 protocol turns bytes into ASGI exchanges; the listening, accepting, reading, writing, timing and
closing around it are ours, so that one connection can fail without any other noticing.
"""

from greenroom.http.serving.limits import Limits
from greenroom.http.serving.listening import adopt, listen
from greenroom.http.serving.server import Server, serve
from greenroom.http.serving.statistics import Fault, ServingStatistics

__all__ = ["Fault", "Limits", "Server", "ServingStatistics", "adopt", "listen", "serve"]
