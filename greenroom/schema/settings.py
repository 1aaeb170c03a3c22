"""greenroom's own settings, checked. They are read once (:mod:`greenroom.schema.environment`) and handed down."""

from __future__ import annotations

import re
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from greenroom.schema.rate_limits import LIMIT_MAX
from greenroom.schema.search_settings import SearchSettings

PREFIX: Final = "GREENROOM_"
ENV_FILE: Final = ".env"
API_KEY_LENGTH_MIN: Final = 16
REDIS_SCHEMES: Final = ("redis://", "rediss://", "redis+cluster://", "rediss+cluster://", "unix://")


class BadSettings(Exception):
    """One or more settings can't be used; the message is one line per setting, by its environment name."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """greenroom's own settings, all prefixed ``GREENROOM_``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    _search: SearchSettings = PrivateAttr(default_factory=SearchSettings)

    bind: str = Field("127.0.0.1:8000", description="host:port that HTTP is served on")
    data_dir: Path = Field(Path("data"), description="folder of the embedded Postgres and its files")
    database_url: SecretStr | None = Field(
        None, description="Postgres with pgvector and pg_trgm; unset: an embedded Postgres in the data folder"
    )
    redis_url: SecretStr | None = Field(
        None, description="redis://, rediss://, unix:// or redis+cluster://: carries news between workers"
    )
    bus: Literal["auto", "local", "postgres", "redis"] = Field(
        "auto",
        description="what carries news between workers; auto: redis with a URL, else postgres with several workers, else local",
    )
    workers: int = Field(1, ge=1, le=64, description="worker processes")
    worker_requests_max: int = Field(
        0, ge=0, description="a worker is replaced after about this many requests; 0: never"
    )
    database_pool_size: int = Field(8, ge=2, le=100, description="connections per worker")
    database_pool_timeout_ms: int = Field(500, ge=10, le=30_000, description="wait for a connection before 503")
    database_statement_timeout_ms: int = Field(
        2_000, ge=100, le=60_000, description="per statement, in the server"
    )
    database_prepare: bool = Field(
        True, description="prepared statements; off behind a transaction-mode pooler (PgBouncer, Supavisor)"
    )
    admin_api_key: SecretStr | None = Field(
        None,
        description="X-API-Key of the operators' routes; unset: one of its own in the data folder when bound to loopback, else none",
    )
    admin_api_key_next: SecretStr | None = Field(
        None, description="a second key that is accepted beside it, while keys are being changed"
    )
    metrics_public: bool = Field(False, description="/metrics without a key; by default it is for operators only")
    allowed_origins: CommaSeparated = Field(
        (), description="comma-separated origins, besides our own, whose pages may use the session cookie"
    )
    allowed_hosts: CommaSeparated = Field(
        (), description="comma-separated names by which requests may address this server, without port; unset: any"
    )
    trusted_proxies: CommaSeparated = Field(
        (),
        description="comma-separated addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
    )
    cookie_secure: bool | None = Field(
        None, description="session cookie over HTTPS only; unset: true unless bound to loopback"
    )
    session_hours: float = Field(12.0, gt=0, le=24 * 31, description="life of a session")
    event_retention_days: int = Field(28, ge=7, le=365, description="how long a dropped client can still resume")
    search_retention_days: int = Field(
        30,
        ge=1,
        le=365,
        description="how long searches and clicks on their results are kept; how they went, a week",
    )
    learn_aliases: Literal["review", "auto"] = Field(
        "review",
        description="names of places learned from clicks: proposed to operators, or used at once",
    )
    learn_aliases_users: int = Field(
        5, ge=2, le=1_000, description="people who have to agree, before a name is learned"
    )
    edit_window_minutes: float = Field(
        15.0, ge=0, le=60 * 24 * 365, description="for how long a message may be edited after it was sent"
    )
    reminder_hours: float = Field(
        24.0, ge=0, le=24 * 14, description="how long before a lesson both are reminded of it"
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="smtp://user:password@host:port or smtps://…: where mail is handed in; unset: it is only logged",
    )
    mail_from: str = Field(
        "greenroom <no-reply@localhost>", description="sender of mails: an address, or a name and an address"
    )
    login_slots: int = Field(2, ge=1, le=64, description="password hashes computed at once")
    login_queue_timeout_ms: int = Field(1_000, ge=10, le=30_000, description="wait for a slot before 503")
    conversation_idle_s: float = Field(60.0, ge=1, description="a conversation actor idle this long is passivated")
    stream_idle_s: float = Field(
        30.0, ge=1, description="a stream actor without connections this long is passivated"
    )
    connections_max: int = Field(
        10_000,
        ge=1,
        description="open connections per worker; less where the limit of open files (ulimit -n) is lower",
    )
    drain_timeout_s: float = Field(10.0, ge=0.1, le=120, description="bound of a graceful stop")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe line shown")
    access_log_level: Literal["debug", "info", "warning", "error"] | None = Field(
        None,
        description="least severe line about a request shown: debug for health checks too, info for every request, "
        "warning for those that failed on our side; unset: as the log level",
    )
    limit_requests_per_minute: int = Field(
        1_200, ge=0, le=LIMIT_MAX, description="requests of one session; 0: no limit, as for all of these"
    )
    limit_anonymous_requests_per_minute: int = Field(
        600, ge=0, le=LIMIT_MAX, description="requests from one client address without a valid session"
    )
    limit_sends_per_minute: int = Field(300, ge=0, le=LIMIT_MAX, description="messages of one user")
    limit_typing_per_minute: int = Field(120, ge=0, le=LIMIT_MAX, description="signs of typing of one user")
    limit_conversations_per_hour: int = Field(
        100, ge=0, le=LIMIT_MAX, description="conversations that one user creates"
    )
    limit_bookings_per_hour: int = Field(
        60, ge=0, le=LIMIT_MAX, description="bookings of one user, and changes to them"
    )
    limit_registrations_per_hour: int = Field(
        60, ge=0, le=LIMIT_MAX, description="registrations from one client address"
    )
    limit_logins_per_minute: int = Field(20, ge=0, le=LIMIT_MAX, description="sign-ins from one client address")
    limit_logins_per_hour: int = Field(200, ge=0, le=LIMIT_MAX, description="the same, in an hour")
    limit_account_logins_per_minute: int = Field(
        5, ge=0, le=LIMIT_MAX, description="sign-ins to one account, since the last that succeeded"
    )
    limit_account_logins_per_hour: int = Field(20, ge=0, le=LIMIT_MAX, description="the same, in an hour")
    login_lockout_failures: int = Field(
        5,
        ge=0,
        le=10,
        description="wrong passwords in a row that lock an account, for 30 s and twice as long with each further one; 0: never",
    )
    turnstile_secret: SecretStr | None = Field(
        None, description="secret key of a Cloudflare Turnstile widget; unset: sign-ins need no captcha"
    )
    turnstile_url: str = Field(
        "https://challenges.cloudflare.com/turnstile/v0/siteverify", description="where its tokens are checked"
    )
    turnstile_site_key: str | None = Field(
        None,
        max_length=200,
        description="site key of that widget, which the pages then show; unset: they show none",
    )
    turnstile_script_url: str = Field(
        "https://challenges.cloudflare.com/turnstile/v0/api.js", description="where the pages get the widget"
    )
    login_captcha_failures: int = Field(
        3, ge=0, le=10, description="wrong passwords in a row after which a sign-in needs a captcha"
    )
    loadtest_bypass_token: SecretStr | None = Field(
        None,
        validation_alias="LOADTEST_BYPASS_TOKEN",
        description="requests with it in X-Loadtest-Bypass are not limited; unset: all are",
    )
    stall_threshold_ms: int = Field(
        250,
        ge=0,
        le=60_000,
        description="log where the event loop is blocked when it is for this long; 0: do not watch",
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, else json"
    )

    @field_validator("bind")
    @classmethod
    def _bind_is_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65_535:
            raise ValueError("must be host:port with a port of 0 to 65535, e.g. 127.0.0.1:8000")
        return value

    @field_validator("admin_api_key", "admin_api_key_next", "loadtest_bypass_token")
    @classmethod
    def _key_is_long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < API_KEY_LENGTH_MIN:
            raise ValueError(f"must have at least {API_KEY_LENGTH_MIN} characters")
        return value

    @field_validator("database_url")
    @classmethod
    def _url_is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _url_is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError(f"must begin with one of {', '.join(REDIS_SCHEMES)}")
        return value

    @field_validator("turnstile_url", "turnstile_script_url")
    @classmethod
    def _url_is_http(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https://")
        return value

    @field_validator("turnstile_script_url")
    @classmethod
    def _script_is_of_a_host(cls, value: str) -> str:
        # Its origin goes into a header.
        if re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[\w./-]*)?", value) is None:
            raise ValueError(
                "must be an address without a query, e.g. https://challenges.cloudflare.com/turnstile/v0/api.js"
            )
        return value

    @field_validator("turnstile_site_key")
    @classmethod
    def _widget_is_checked(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("turnstile_secret") is None:
            raise ValueError("needs GREENROOM_TURNSTILE_SECRET too: what the widget says has to be checked")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender_is_address(cls, value: str) -> str:
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if not local or not domain or not value.isprintable() or not value.isascii():
            raise ValueError("must be an address, or a name and an address, e.g. Lessons <lessons@example.org>")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(
                    f"{text!r} must be an address or a network, e.g. 10.0.0.7 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_lower_case(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower() for host in value)

    @field_validator("allowed_origins")
    @classmethod
    def _origins_have_no_path(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin.rstrip("/") for origin in value)

    @property
    def search(self) -> SearchSettings:
        """Those of the search, whose names have no prefix."""
        return self._search

    @property
    def mail_domain(self) -> str:
        return parseaddr(self.mail_from)[1].rpartition("@")[2]

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def captcha_origin(self) -> str | None:
        """Where the pages get a captcha's widget; None if they show none."""
        if self.turnstile_site_key is None:
            return None
        parts = urlsplit(self.turnstile_script_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_cookie_secure(self) -> bool:
        return not self.is_loopback if self.cookie_secure is None else self.cookie_secure
