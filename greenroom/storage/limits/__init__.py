"""Who has asked how much, wherever that is kept: in this process, in Redis or in Postgres."""

from greenroom.storage.limits.home import Claim, HomeAway, LimitHome
from greenroom.storage.limits.local import LocalLimits
from greenroom.storage.limits.memory import MemoryHome
from greenroom.storage.limits.shared import SharedLimits, open_shared_limits

__all__ = ["Claim", "HomeAway", "LimitHome", "LocalLimits", "MemoryHome", "SharedLimits", "open_shared_limits"]
