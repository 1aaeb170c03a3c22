"""What settings say about how the core goes about its work."""

from __future__ import annotations

from datetime import timedelta

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.limiting import HOUR_S, MINUTE_S, LimitPolicies
from greenroom.actors.search.learning.ballot import LearningRules
from greenroom.schema.rate_limits import Policy
from greenroom.schema.settings import Settings


def core_settings(settings: Settings, *, worker: str | None = None) -> CoreSettings:
    return CoreSettings(
        session_life=timedelta(hours=settings.session_hours),
        event_retention=timedelta(days=settings.event_retention_days),
        search_retention=timedelta(days=settings.search_retention_days),
        edit_window=timedelta(minutes=settings.edit_window_minutes),
        reminder_lead=timedelta(hours=settings.reminder_hours),
        mail_domain=settings.mail_domain,
        conversation_idle_s=settings.conversation_idle_s,
        stream_idle_s=settings.stream_idle_s,
        drain_timeout_s=settings.drain_timeout_s,
        worker=worker,
        limits=limit_policies(settings),
        lockout_failures=settings.login_lockout_failures,
        captcha_failures=settings.login_captcha_failures,
    )


def limit_policies(settings: Settings) -> LimitPolicies:
    def policy(name: str, limit: int, window_s: int) -> Policy | None:
        return Policy(name, limit, window_s) if limit else None

    return LimitPolicies(
        requests=policy("requests", settings.limit_requests_per_minute, MINUTE_S),
        anonymous_requests=policy("anonymous-requests", settings.limit_anonymous_requests_per_minute, MINUTE_S),
        sends=policy("sends", settings.limit_sends_per_minute, MINUTE_S),
        typing=policy("typing", settings.limit_typing_per_minute, MINUTE_S),
        conversations=policy("conversations", settings.limit_conversations_per_hour, HOUR_S),
        bookings=policy("bookings", settings.limit_bookings_per_hour, HOUR_S),
        registrations=policy("registrations", settings.limit_registrations_per_hour, HOUR_S),
        logins_by_minute=policy("logins-by-minute", settings.limit_logins_per_minute, MINUTE_S),
        logins_by_hour=policy("logins-by-hour", settings.limit_logins_per_hour, HOUR_S),
        account_logins_by_minute=policy(
            "account-logins-by-minute", settings.limit_account_logins_per_minute, MINUTE_S
        ),
        account_logins_by_hour=policy("account-logins-by-hour", settings.limit_account_logins_per_hour, HOUR_S),
    )


def learning_rules(settings: Settings) -> LearningRules:
    return LearningRules(users_min=settings.learn_aliases_users, is_automatic=settings.learn_aliases == "auto")
