"""Who fetches what just now, of all workers, so that one call answers all: in Redis, or in this process for tests."""

from greenroom.storage.flights.memory import MemoryFlights
from greenroom.storage.flights.opening import open_flights
from greenroom.storage.flights.redis import RedisFlights, open_redis_flights

__all__ = ["MemoryFlights", "RedisFlights", "open_flights", "open_redis_flights"]
