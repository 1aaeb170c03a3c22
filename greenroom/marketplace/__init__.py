"""An invented marketplace of lessons: believable instructors for the demo and for measuring, made from a seed.

Nobody in it exists. The same seed makes the same instructors, and more of them begin with the fewer.
"""

from __future__ import annotations

from greenroom.marketplace.filling import fill_marketplace
from greenroom.marketplace.instructors import address, invented_instructors

__all__ = ["address", "fill_marketplace", "invented_instructors"]
