"""What services are found by, on its way into the index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from greenroom.schema.ids import ServiceId


@dataclass(frozen=True, slots=True)
class ServiceText:
    """A service as it is told.

    Attributes:
        category: slug of the taxonomy.
        updated_at: of the version that this is.
    """

    service_id: ServiceId
    title: str
    category: str | None
    description: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class IndexedText:
    """A service with what the index is told of it.

    Attributes:
        category_words: the category's name and synonyms, empty without one.
    """

    service: ServiceText
    category_words: str = ""

    @property
    def meaning(self) -> str:
        """What is embedded: the whole of it, the title first."""
        return f"{self.service.title}. {self.category_words}. {self.service.description}"


@dataclass(frozen=True, slots=True)
class IndexedModel:
    """An embedding model that services have vectors of.

    Attributes:
        is_ready: all services have one, so it is searched with.
    """

    model: str
    dimension: int
    is_ready: bool
