"""The parts a core is given, as settings choose them: bus, passwords, mail, captcha."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from greenroom.schema.ids import Ids
from greenroom.schema.settings import BadSettings, Settings
from greenroom.storage.bus_opening import BusKind
from greenroom.storage.captcha import DUMMY_SECRETS, Captcha, open_turnstile
from greenroom.storage.mail import BadSmtpUrl, LogMailer, Mailer, SmtpMailer, SmtpServer
from greenroom.storage.passwords import Argon2Passwords
from greenroom.storage.redis import BadRedisUrl, RedisUrl


def bus_kind(settings: Settings, *, workers: int) -> tuple[BusKind, RedisUrl | None]:
    """Choose the bus, and read the URL of Redis if there is one.

    Raises:
        BadSettings: the URL can't be used, or is missing.
    """
    redis = None
    if settings.redis_url is not None:
        try:
            redis = RedisUrl.parse(settings.redis_url.get_secret_value())
        except BadRedisUrl as exc:
            raise BadSettings(f"GREENROOM_REDIS_URL: {exc}") from None
    if settings.bus != "auto":
        kind = BusKind(settings.bus)
    elif redis is not None:
        kind = BusKind.REDIS
    else:
        kind = BusKind.POSTGRES if workers > 1 else BusKind.LOCAL
    if kind is BusKind.REDIS and redis is None:
        raise BadSettings("GREENROOM_REDIS_URL: must be set for GREENROOM_BUS=redis")
    if kind is BusKind.LOCAL and workers > 1:
        raise BadSettings("GREENROOM_BUS: local can't connect several workers")
    return kind, redis


def make_passwords(settings: Settings) -> Argon2Passwords:
    return Argon2Passwords(slots=settings.login_slots, queue_timeout_s=settings.login_queue_timeout_ms / 1000)


def make_mailer(settings: Settings) -> Mailer:
    """
    Raises:
        BadSettings: the URL of the mail server can't be used.
    """
    if settings.smtp_url is None:
        return LogMailer()
    try:
        server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    except BadSmtpUrl as exc:
        raise BadSettings(f"GREENROOM_SMTP_URL: {exc}") from None
    return SmtpMailer(server, sender=settings.mail_from)


@asynccontextmanager
async def a_captcha(settings: Settings, ids: Ids) -> AsyncIterator[Captcha | None]:
    """Make what tells people from others; None if there is nobody to ask.

    Raises:
        BadSettings: a secret that passes everybody, on a server that others can reach.
    """
    if settings.turnstile_secret is None:
        yield None
        return
    secret = settings.turnstile_secret.get_secret_value()
    if secret in DUMMY_SECRETS and not settings.is_loopback:
        raise BadSettings("GREENROOM_TURNSTILE_SECRET: is one of Turnstile's own for tests")

    def key() -> str:
        return str(UUID(hex=ids.secret()[:32], version=4))

    hosts = settings.allowed_hosts
    async with open_turnstile(url=settings.turnstile_url, secret=secret, hosts=hosts, key=key) as turnstile:
        yield turnstile
