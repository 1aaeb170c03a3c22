"""What one field of a request may be: its type, its bounds, and what is refused in it.

Nothing is trimmed or clamped.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from greenroom.schema.ids import ULID_PATTERN

CONTENT_LENGTH_MAX: Final = 5_000
"""Characters (code points) of one message."""

CLIENT_ID_LENGTH_MAX: Final = 64
"""Characters: room for a UUID or a ULID with a prefix."""

PAGE_LIMIT_MAX: Final = 100

REASON_LENGTH_MAX: Final = 500
"""Characters of a reason: a sentence or two and, of an operator's, a ticket's number."""

NOTE_LENGTH_MAX: Final = 1_000
"""Characters of what a student notes on a booking."""

LONG_POLL_S_MAX: Final = 25
"""Below the 30 s after which common proxies give up on a silent response."""

SEQ_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader holds exactly (RFC 8259, section 6)."""

PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 1_024
"""Long enough for any passphrase, short enough that hashing costs the same for all."""

# RFC 5321's 254 octets; one @, a dot in the domain, no spaces or control characters. Whether an address is real only a
# message to it can tell.
_EMAIL: Final = re.compile(
    r"[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\.]+(\.[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\.]+)+"
)

_DIGITS: Final = re.compile(r"-?[0-9]{1,16}")
_DECIMAL: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")


def plain_text(text: str) -> str:
    """Refuse what Postgres (NUL) and UTF-8 (lone surrogates) can't hold."""
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain lone surrogates")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _email(text: str) -> str:
    if len(text) > 254 or _EMAIL.fullmatch(text) is None:
        raise ValueError("must be an e-mail address")
    return text


def _single_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def _password(secret: SecretStr) -> SecretStr:
    plain_text(secret.get_secret_value())
    if len(secret.get_secret_value().encode()) > PASSWORD_BYTES_MAX:
        raise ValueError(f"must be at most {PASSWORD_BYTES_MAX} bytes")
    return secret


def _new_password(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < PASSWORD_LENGTH_MIN:
        raise ValueError(f"must be at least {PASSWORD_LENGTH_MIN} characters")
    return secret


def digits(value: object) -> object:
    """Refuse text that is no whole number of at most 16 digits; for query parameters, before pydantic reads them."""
    if isinstance(value, str) and _DIGITS.fullmatch(value) is None:
        raise ValueError("must be a whole number")
    return value


def _decimal(value: object) -> object:
    if isinstance(value, str) and _DECIMAL.fullmatch(value) is None:
        raise ValueError("must be a number with at most three decimals")
    return value


Text = Annotated[str, AfterValidator(plain_text)]
SingleLine = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
    AfterValidator(_single_line),
]
Content = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CONTENT_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
Note = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NOTE_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
CancelReason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
ClientId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CLIENT_ID_LENGTH_MAX, pattern=r"^[A-Za-z0-9._:-]+$"),
]
Password = Annotated[SecretStr, AfterValidator(_password)]
NewPassword = Annotated[SecretStr, AfterValidator(_password), AfterValidator(_new_password)]
DisplayName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
    AfterValidator(_single_line),
]
OperatorReason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_LENGTH_MAX),
    AfterValidator(_single_line),
]
Ulid = StringConstraints(pattern=ULID_PATTERN)
Seq = Annotated[int, Field(ge=1, le=SEQ_MAX)]
Email = Annotated[str, AfterValidator(_email), Field(json_schema_extra={"format": "email", "maxLength": 254})]

# Query parameters arrive as text; only plain digits are numbers (pydantic alone would also take "1_0", " 1" or "1.0").
# The bounds stand next to the type: behind a validator, pydantic would not put them into the schema.
Limit = Annotated[int, Field(ge=1, le=PAGE_LIMIT_MAX), BeforeValidator(digits)]
QuerySeq = Annotated[int, Field(ge=0, le=SEQ_MAX), BeforeValidator(digits)]
WaitS = Annotated[float, Field(ge=0, le=LONG_POLL_S_MAX), BeforeValidator(_decimal)]
PageCursor = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(plain_text)]
