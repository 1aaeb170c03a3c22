import pytest

from greenroom.actors.search.places.named_together import Parts, joined, parts_of
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Tier
from tests.storage.places_builders import a_region


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("soho or tribeca", Parts(("soho", "tribeca"), False)),
        ("between gowanus and red hook", Parts(("gowanus", "red hook"), False)),
        ("astoria / lic, queens", Parts(("astoria", "lic", "queens"), False)),
        ("murray hill-kips bay", Parts(("murray hill", "kips bay"), True)),
        ("soho, soho", None),
        ("corona", None),
        ("a, b, c, d, e, f", None),
        (" , ", None),
        ("", None),
    ],
)
def test_a_list_of_places_is_taken_apart(text: str, parts: Parts | None) -> None:
    assert parts_of(text) == parts


def test_a_name_of_several_cities_means_that_of_the_city_of_the_others() -> None:
    here, far, other = (
        a_region(region_id, "").region for region_id in ("nyc/m/soho", "london/w/soho", "nyc/m/tribeca")
    )
    soho = PlaceAnswer("soho", PlaceOutcome.AMBIGUOUS, (far, here), Tier.EXACT, 0.5)
    tribeca = PlaceAnswer("tribeca", PlaceOutcome.RESOLVED, (other,), Tier.EXACT, 1.0)

    answer = joined("soho or tribeca", [soho, tribeca], all_must_be_known=False)

    assert answer is not None
    assert answer.outcome is PlaceOutcome.RESOLVED
    assert answer.regions == (here, other)


def test_places_of_several_cities_that_were_all_named_are_all_meant() -> None:
    queens, camden = (a_region(region_id, "").region for region_id in ("nyc/queens", "london/camden"))
    answers = [
        PlaceAnswer(region.id, PlaceOutcome.RESOLVED, (region,), Tier.EXACT, 1.0) for region in (queens, camden)
    ]

    answer = joined("queens or camden", answers, all_must_be_known=False)

    assert answer is not None
    assert answer.outcome is PlaceOutcome.RESOLVED
    assert answer.regions == (queens, camden)
