"""``Idempotency-Key``: the same request, sent again, is answered as the first time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

from greenroom.actors.answering_once import AnsweringOnce
from greenroom.http.request import Request
from greenroom.http.response import Response
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.idempotency import KeptAnswer, RequestKey

HEADER: Final = "Idempotency-Key"
_HEADER: Final = HEADER.lower().encode()
METHODS: Final = frozenset({"POST", "PATCH"})

REPLAYED: Final = "Idempotency-Replayed"
"""Says ``true`` on an answer that was given before."""

_KEY: Final = re.compile(r'"?([A-Za-z0-9._:-]{1,64})"?')


def given_key(request: Request) -> str | None:
    """The key of a request, with or without the quotes that structured fields have.

    Raises:
        InvalidInput: it has another form.
    """
    given = request.header(_HEADER)
    if given is None:
        return None
    key = _KEY.fullmatch(given)
    if key is None:
        reason = "must be 1 to 64 characters of letters, digits and . _ : -"
        raise InvalidInput(FieldError(("header", HEADER), reason))
    return key[1]


def client_id_of(key: str) -> str:
    """The client id under which a keyed request sends a message that has none of its own, whenever it is tried."""
    return f"key:{hashlib.sha256(key.encode()).hexdigest()[:48]}"


async def answer_once(
    request: Request,
    answering: AnsweringOnce,
    *,
    owner: str,
    key: str,
    carry_out: Callable[[], Awaitable[Response]],
) -> Response:
    """Carry out a request that is new, or answer as the first time.

    Raises:
        InvalidInput: the key was used for another request.
        RequestInProgress: the same request is being carried out.
    """
    known = RequestKey(owner, key, _fingerprint(request))
    answer = await answering.answer(known, lambda: _kept(carry_out), keep=lambda pair: pair[1], again=_again)
    return answer[0]


async def _kept(carry_out: Callable[[], Awaitable[Response]]) -> tuple[Response, KeptAnswer]:
    response = await carry_out()
    if not isinstance(response.body, bytes):
        raise TypeError("a stream can't be kept")
    return response, KeptAnswer(response.status, response.content_type, response.body)


def _again(kept: KeptAnswer) -> tuple[Response, KeptAnswer]:
    response = Response(kept.status, kept.body)
    if kept.content_type is not None:
        response.headers.append((b"content-type", kept.content_type.encode()))
    response.headers.append((REPLAYED.lower().encode(), b"true"))
    return response, kept


def _fingerprint(request: Request) -> bytes:
    """Of everything that decides what a request does."""
    parts = (
        request.method.encode(),
        request.path.encode(),
        request.query_string,
        (request.header(b"if-match") or "").encode(),
        request.payload,
    )
    # Lengths first: no two requests may run together into the same bytes.
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
