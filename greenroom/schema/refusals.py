"""What is wrong with an input, in our words: the same whether a rule of ours refused it or pydantic did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError

from greenroom.schema.ids import ULID_PATTERN

_BY_TYPE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing": "is required",
        "extra_forbidden": "is not a field of this",
        "string_type": "must be a string",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
        "greater_than_equal": "must be at least {ge}",
        "less_than_equal": "must be at most {le}",
        "greater_than": "must be more than {gt}",
        "less_than": "must be less than {lt}",
        "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
        "union_tag_not_found": "{discriminator} is required",
    }
)
"""By the type of pydantic's error; the names in braces are of its context."""

_BY_PATTERN: Final[Mapping[str, str]] = MappingProxyType(
    {
        ULID_PATTERN: "must be an id (a ULID)",
        r"^[A-Z]{3}$": "must be a currency by its three capital letters, such as USD",
        r"^[a-z0-9-]+$": "must be an id of small letters, digits and hyphens, such as nyc",
        r"^[a-z0-9/-]+$": "must be the id of a region, such as nyc/brooklyn/park-slope",
        r"^[a-z0-9-]+(/[a-z0-9-]+)*$": "must be the id of a region, such as nyc/brooklyn/park-slope",
        r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$": "must be a time of the day from 00:00 to 24:00, such as 09:30",
        r"^[A-Za-z0-9._:-]+$": "must be of letters, digits, dots, colons, hyphens and underscores",
        r"^[a-z_]{1,32}$": "must be of small letters and underscores, at most 32",
    }
)
"""What a pattern of ours wants, for who does not read regular expressions."""

_SUBJECT: Final = re.compile(r"^(Input|String|Value|List|Number|Datetime|URL) should ")


def in_our_words(fault: ErrorDetails) -> str:
    """Say what is wrong, as the end of a sentence that begins with the field's name; the refused value is not repeated."""
    context = fault.get("ctx", {})
    if fault["type"] == "string_pattern_mismatch":
        return _BY_PATTERN.get(context.get("pattern", ""), "is not in the form that is wanted")
    words = _BY_TYPE.get(fault["type"])
    if words is not None:
        return words.format_map({name: _plain(value) for name, value in context.items()})
    # What else there is names the values or the bounds by itself: "Input should be 'student' or 'instructor'".
    return _SUBJECT.sub("must ", fault["msg"].removeprefix("Value error, "))


def refused_field(model: type, field: str, words: str) -> ValidationError:
    """What a rule over several fields raises to name the one that has to change; a ``ValueError`` would name none.

    Args:
        words: as :func:`in_our_words` has them.
    """
    error = PydanticCustomError("field_refused", "{words}", {"words": words})
    return ValidationError.from_exception_data(
        model.__name__, [InitErrorDetails(type=error, loc=(field,), input=None)], hide_input=True
    )


def _plain(value: object) -> object:
    """Without the quotes that pydantic puts around a discriminator, and whole numbers as such."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case str() if value.count("'") == 2:
            return value.strip("'")
    return value
