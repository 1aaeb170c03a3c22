"""A model that is away is known to be, and warned of once."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from greenroom.models.outages import KNOWN_S, TIMEOUTS_MIN, WARNED_EVERY_S, Outages
from greenroom.models.ports import ModelBusy, ModelError, ModelTimeout, ModelUnavailable

GONE = ModelUnavailable("can't be reached: refused")


class Hands:
    now = 1_000.0


@pytest.mark.parametrize(
    ("errors", "is_away"),
    [
        ([GONE], True),
        ([ModelTimeout("late")], False),
        ([ModelTimeout("late")] * TIMEOUTS_MIN, True),
        ([ModelBusy("429")] * TIMEOUTS_MIN, False),
    ],
)
def test_a_model_is_away_that_nobody_answers_for(errors: list[ModelError], is_away: bool) -> None:
    outages = Outages(lambda: 0.0)

    for error in errors:
        outages.failed("parsing", error)

    assert (outages.of("parsing") is not None) == is_away
    assert outages.of("location") is None


def test_it_is_known_for_a_while_until_it_answers_or_nobody_asks() -> None:
    hands = Hands()
    outages = Outages(lambda: hands.now)

    outages.failed("parsing", GONE)
    assert outages.of("parsing") == "ModelUnavailable: can't be reached: refused"
    outages.answered("parsing")
    assert outages.of("parsing") is None
    outages.failed("parsing", GONE)
    hands.now += KNOWN_S + 1
    assert outages.of("parsing") is None


def test_an_outage_is_warned_of_once_and_again_if_it_lasts() -> None:
    hands = Hands()
    outages = Outages(lambda: hands.now)

    with capture_logs() as logs:
        for _ in range(3):
            outages.failed("parsing", GONE)
            outages.answered("parsing")
        hands.now += WARNED_EVERY_S
        outages.failed("parsing", GONE)

    assert [(line["event"], line["purpose"], line["error"]) for line in logs] == [
        ("model_away", "parsing", "ModelUnavailable")
    ] * 2
