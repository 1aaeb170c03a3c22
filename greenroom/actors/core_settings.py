"""What the core needs to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from greenroom.actors.committer import EDIT_WINDOW, REMINDER_LEAD
from greenroom.actors.limiting import LimitPolicies


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreSettings:
    """All with the defaults of the server."""

    session_life: timedelta = timedelta(hours=12)
    event_retention: timedelta = timedelta(days=28)
    search_retention: timedelta = timedelta(days=30)
    edit_window: timedelta = EDIT_WINDOW
    reminder_lead: timedelta = REMINDER_LEAD
    mail_domain: str = "localhost"
    """What the ids of mails end in."""

    conversation_idle_s: float = 60.0
    stream_idle_s: float = 30.0
    drain_timeout_s: float = 10.0
    worker: str | None = None
    """Names this process among several that share a bus; None if it is the only one."""

    limits: LimitPolicies = LimitPolicies()  # noqa: RUF009 - frozen
    lockout_failures: int = 0
    """From how many wrong passwords in a row on an account is locked; 0 for never."""

    captcha_failures: int = 3
    """After how many of them, if fewer, a sign-in needs a captcha, where there is one; only where accounts are locked."""
