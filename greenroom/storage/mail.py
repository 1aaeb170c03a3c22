"""Sending mail: by SMTP where a server is named, else to the log, without addresses and texts.

smtplib blocks, so it runs in threads: a few at most, each with a timeout per answer of the server's. Whoever gives up
waiting closes the connection under the thread, which then ends too.
"""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import partial
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import trio

SLOTS: Final = 4
"""Mails sent at once per worker, each in a thread."""

ANSWER_TIMEOUT_S: Final = 5.0
"""For each answer of the server's; the whole is bounded by whoever waits."""

_PORTS: Final = {"smtp": 25, "smtps": 465}

_log = logging.getLogger(__name__)


class BadSmtpUrl(ValueError):
    """It can't be used, and why; never says the password."""


class MailFailed(Exception):
    """The mail was not accepted. The sentence names no address."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person.

    Attributes:
        message_id: the same for every try, so that a second copy can be told for what it is.
    """

    to: str
    to_name: str
    subject: str
    text: str
    message_id: str
    at: datetime


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Hand a mail to a server that will see to it.

        Raises:
            MailFailed: it was not accepted; if the connection broke, it may have been.
        """
        ...


class LogMailer:
    """Says that there would have been a mail."""

    async def send(self, mail: Mail) -> None:
        await trio.lowlevel.checkpoint()
        _log.info("mail not sent, as GREENROOM_SMTP_URL is not set: %s", mail.message_id)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. ``is_encrypted``: from the first byte on (``smtps``)."""

    host: str
    port: int
    user: str | None
    password: str | None
    is_encrypted: bool

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """Read ``smtp://user:password@host:port`` or ``smtps://…``; user, password and port may be left out.

        Raises:
            BadSmtpUrl: it is none.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise BadSmtpUrl("must be smtp://user:password@host:port or smtps://…") from exc
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise BadSmtpUrl("must be smtp://user:password@host:port or smtps://…")
        if (parts.username is None) is not (parts.password is None):
            raise BadSmtpUrl("must have both a user and a password, or neither")
        return cls(
            parts.hostname,
            port or _PORTS[parts.scheme],
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
            parts.scheme == "smtps",
        )

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class SmtpMailer:
    """Hands mails to a server, one connection each.

    What is said is encrypted where the server offers it (RFC 3207), and a password is never sent in the clear to another
    machine. Certificates are checked, for the host of the server's address.

    Args:
        tls: whose certificates are good; None for those that this machine trusts.
    """

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: str,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._answer_timeout_s = answer_timeout_s
        self._tls = tls or ssl.create_default_context()
        self._threads = trio.CapacityLimiter(SLOTS)

    async def send(self, mail: Mail) -> None:
        message = _message(mail, self._sender)
        connection = _Connection(self._server, self._answer_timeout_s, self._tls)
        try:
            await trio.to_thread.run_sync(
                partial(connection.deliver, message, self._sender, mail.to),
                limiter=self._threads,
                abandon_on_cancel=True,
            )
        except smtplib.SMTPResponseException as exc:
            raise MailFailed(f"the mail server answered {exc.smtp_code}") from exc
        except smtplib.SMTPRecipientsRefused as exc:
            codes = sorted({code for code, _ in exc.recipients.values()})
            raise MailFailed(f"the mail server refused the recipient: {codes}") from exc
        except (smtplib.SMTPException, OSError) as exc:
            raise MailFailed(f"the mail server could not be talked to: {type(exc).__name__}") from exc
        finally:
            connection.abort()


class _Connection:
    """One dialogue, in a thread, which another thread may break off once it is connected; connecting has its own timeout."""

    def __init__(self, server: SmtpServer, timeout_s: float, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        self._timeout_s = timeout_s
        self._smtp: smtplib.SMTP | None = None
        self._is_aborted = False

    def deliver(self, message: EmailMessage, sender: str, to: str) -> None:
        server = self._server
        kind = partial(smtplib.SMTP_SSL, context=self._tls) if server.is_encrypted else smtplib.SMTP
        # Named, as smtplib would otherwise ask the name service for our own name; connected by its constructor, which notes
        # the host that certificates are checked for.
        smtp = self._smtp = kind(server.host, server.port, local_hostname="localhost", timeout=self._timeout_s)
        try:
            if not self._is_aborted:
                self._converse(smtp, message, sender, to)
        finally:
            smtp.close()

    def _converse(self, smtp: smtplib.SMTP, message: EmailMessage, sender: str, to: str) -> None:
        server = self._server
        smtp.ehlo()
        if not server.is_encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo()
        if server.user is not None and server.password is not None:
            if not isinstance(smtp.sock, ssl.SSLSocket) and not server.is_loopback:
                raise smtplib.SMTPNotSupportedError("no encryption, so no password")
            smtp.login(server.user, server.password)
        smtp.send_message(message, from_addr=parseaddr(sender)[1], to_addrs=[to])
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()  # it was accepted; how the server says goodbye does not matter

    def abort(self) -> None:
        """End the dialogue wherever it is; after its end, nothing."""
        self._is_aborted = True
        sock = None if self._smtp is None else self._smtp.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    name, address = parseaddr(sender)
    message["From"] = Address(name, addr_spec=address)
    local, _, domain = mail.to.rpartition("@")
    message["To"] = Address(_one_line(mail.to_name), local, domain)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    # RFC 3834: nobody's vacation notice need answer this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")  # not every server takes eight bits
    return message


def _one_line(text: str) -> str:
    return " ".join(text.split())
