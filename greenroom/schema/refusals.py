"""What is wrong with an input, in our words: the same whether a rule of ours refused it or pydantic did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic_core import ErrorDetails

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

_SUBJECT: Final = re.compile(r"^(Input|String|Value|List|Number|Datetime|URL) should ")


def in_our_words(fault: ErrorDetails) -> str:
    """Say what is wrong, as the end of a sentence that begins with the field's name; the refused value is not repeated."""
    context = fault.get("ctx", {})
    if fault["type"] == "string_pattern_mismatch" and context.get("pattern") == ULID_PATTERN:
        return "must be an id (a ULID)"
    words = _BY_TYPE.get(fault["type"])
    if words is not None:
        return words.format_map({name: _plain(value) for name, value in context.items()})
    # What else there is names the values or the bounds by itself: "Input should be 'student' or 'instructor'".
    return _SUBJECT.sub("must ", fault["msg"].removeprefix("Value error, "))


def _plain(value: object) -> object:
    """Without the quotes that pydantic puts around a discriminator, and whole numbers as such."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case str() if value.count("'") == 2:
            return value.strip("'")
    return value
