from __future__ import annotations

import pytest

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Service


def test_no_lesson_is_for_learners_whose_youngest_is_older_than_the_oldest() -> None:
    with pytest.raises(ValueError, match="ages from 12 to 5"):
        Service(ServiceId("1"), UserId("2"), "Judo", "", 6_000, "USD", duration_minutes=60, age_min=12, age_max=5)
