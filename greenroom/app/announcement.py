"""What is said of a server that accepts requests: where it is, and what to mind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from greenroom.schema.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts requests."""

    url: str
    data_dir: Path
    warnings: tuple[str, ...] = ()


def running(settings: Settings, address: str) -> Running:
    """Say where a server is reached, and what to mind about it."""
    warnings = []
    if not settings.is_loopback and settings.is_cookie_secure:
        warnings.append(
            "Reachable from other machines. Browsers keep the session cookie over HTTPS only: put a TLS proxy in front, "
            "or set GREENROOM_COOKIE_SECURE=false on a network you trust."
        )
    if not settings.is_loopback and settings.admin_api_key is None:
        warnings.append(
            "No operator's key: set GREENROOM_ADMIN_API_KEY to use `greenroom actors` and the operators' routes."
        )
    return Running(url=f"http://{_reachable(address)}", data_dir=settings.data_dir, warnings=tuple(warnings))


def _reachable(address: str) -> str:
    """An address to type into a browser for one that is bound."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104
