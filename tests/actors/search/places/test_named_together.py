import pytest

from greenroom.actors.search.places.named_together import Parts, parts_of


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
