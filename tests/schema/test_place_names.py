import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.schema.search.place_names import Split, normal_place_name, splits


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Park Slope", "park slope"),
        ("  PARK-SLOPE, ", "park slope"),
        ("Hell's Kitchen", "hells kitchen"),
        ("King\u2019s Cross", "kings cross"),
        ("St. George", "saint george"),
        ("14th St", "14th st"),
        ("Mt Eden", "mount eden"),
        ("Ft. Greene", "fort greene"),
        ("Jackson Hts", "jackson heights"),
        ("upper e side", "upper east side"),
        ("Elephant & Castle", "elephant and castle"),
        ("The Bronx", "bronx"),
        ("the", "the"),
        ("Mariner's Harbour", "mariners harbor"),
        ("Théâtre", "theater"),
        ("\uff33\uff4f\uff28\uff4f", "soho"),
        ("--", ""),
    ],
)
def test_a_name_has_one_form_however_it_is_written(text: str, normal: str) -> None:
    assert normal_place_name(text) == normal


@given(st.text(max_size=60))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    normal = normal_place_name(text)
    assert normal_place_name(normal) == normal


def test_a_text_is_split_from_either_end() -> None:
    assert splits("park slope brooklyn") == (
        Split("park slope", "brooklyn"),
        Split("slope brooklyn", "park"),
        Split("park", "slope brooklyn"),
        Split("brooklyn", "park slope"),
    )
    assert splits("brooklyn") == ()


@given(st.lists(st.sampled_from(["a", "b", "nyc"]), max_size=9))
def test_a_split_loses_no_word(words: list[str]) -> None:
    for split in splits(" ".join(words)):
        assert sorted([*split.rest.split(), *split.container.split()]) == sorted(words)
