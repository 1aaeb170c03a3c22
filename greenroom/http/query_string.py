"""Reading query parameters: each at most once, known, and in range."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError

from greenroom.http.problems import invalid_input
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.request_models import Query

PARAMETERS_MAX: Final = 20
"""More than any route has."""

Q = TypeVar("Q", bound=Query)


def parse_query(query_string: bytes, model: type[Q] | None) -> Q | None:
    """Read and check a query string; without a ``model`` any parameter is one too many.

    Raises:
        InvalidInput: a parameter is unknown, given twice, not UTF-8, or not what it should be.
    """
    if not query_string and model is None:
        return None
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query_string),
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        raise InvalidInput(FieldError(("query",), "is not a readable query string")) from None
    repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if repeated:
        raise InvalidInput(*(FieldError(("query", name), "is given more than once") for name in repeated))
    if model is None:
        if pairs:
            raise InvalidInput(*(FieldError(("query", name), "is not a parameter of this") for name, _ in pairs))
        return None
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        raise invalid_input("query", error) from None
