"""Redis between workers: publish and subscribe, and a few short scripts, spoken on Trio's own streams.

Why not a client library: what is needed is a handful of commands, and what is asked of them is strict. Of coredis 6.9, the one
that runs on Trio, its buffer of received messages has no bound, a time limit that passes while Redis hangs takes a
connection out of its pool for good (a pool of two was unusable after two such moments), and an error's text holds the
payload.
"""

from greenroom.storage.redis.url import BadRedisUrl, RedisUrl
from greenroom.storage.redis.wire import RedisWire

__all__ = ["BadRedisUrl", "RedisUrl", "RedisWire"]
