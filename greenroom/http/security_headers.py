"""Headers that every response carries, whatever its status.

Sources: OWASP ASVS 5.0, 3.4; MDN on Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""An API answer is data: should a browser ever show one as a page, it may do nothing."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'{widget}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'{frame}"
)

ALWAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)

STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"
"""A year; only where cookies are Secure, because then TLS stands in front of us."""


BY_DEFAULT: Final[Mapping[str, str]] = MappingProxyType(
    {"Content-Security-Policy": API_POLICY, "Cache-Control": "no-store"}
)
"""What a response gets unless it says otherwise."""


def page_policy(widget_origin: str | None) -> str:
    """Return the policy of our pages: everything from this server, nothing inline.

    Args:
        widget_origin: where a captcha's script and frame come from besides; None for nowhere.
            Source: https://developers.cloudflare.com/turnstile/reference/content-security-policy/
    """
    if widget_origin is None:
        return PAGE_POLICY.format(widget="", frame="")
    return PAGE_POLICY.format(widget=f" {widget_origin}", frame=f"; frame-src {widget_origin}")


def fixed_headers(*, is_secure: bool) -> dict[str, str]:
    """Return what every response gets."""
    return dict(ALWAYS) | ({"Strict-Transport-Security": STRICT_TRANSPORT} if is_secure else {})


class StandardHeaders:
    """What an answer gets unless it says otherwise, rendered once.

    Attributes:
        all: of them, names in lower case.
    """

    def __init__(self, *, is_secure: bool) -> None:
        self.all = tuple(
            (name.lower().encode(), value.encode())
            for name, value in (fixed_headers(is_secure=is_secure) | dict(BY_DEFAULT)).items()
        )
        self._names = frozenset(name for name, _ in self.all)

    def missing(self, given: Iterable[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """Return what is to be added to the headers that an answer has.

        Args:
            given: names in lower case. A name that is given is not given again.
        """
        names = {name for name, _ in given}
        if names.isdisjoint(self._names):
            return self.all
        return [header for header in self.all if header[0] not in names]
