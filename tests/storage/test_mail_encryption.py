"""Mail over TLS, from the first byte or after STARTTLS, to a server on loopback with a certificate made for the occasion."""

from __future__ import annotations

import ssl

import pytest
import trio
import trustme

from greenroom.storage.mail import MailFailed, SmtpMailer, SmtpServer
from tests.storage.smtp_server import SmtpServerForTests, smtp_server
from tests.storage.test_mail import MAIL

WAIT_S = 10


class Authority:
    """Issues one server's certificate, and is trusted by whoever is told to."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def server(self, host: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(host).configure_cert(context)
        return context

    def trusted(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context


def a_mailer(
    server: SmtpServerForTests, scheme: str, tls: ssl.SSLContext, *, host: str = "127.0.0.1"
) -> SmtpMailer:
    url = f"{scheme}://user:a%20password@{host}:{server.port}"
    return SmtpMailer(SmtpServer.parse(url), sender="lessons@example.org", answer_timeout_s=5.0, tls=tls)


async def test_with_smtps_nothing_is_said_in_the_clear() -> None:
    authority = Authority()
    with trio.fail_after(WAIT_S):
        async with smtp_server(tls=authority.server(), is_encrypted=True) as server:
            await a_mailer(server, "smtps", authority.trusted()).send(MAIL)

    assert len(server.mails) == 1
    assert any(line.startswith("AUTH PLAIN") for line in server.verbs)
    assert server.in_the_clear == []


async def test_where_encryption_is_offered_password_and_mail_are_said_under_it() -> None:
    authority = Authority()
    with trio.fail_after(WAIT_S):
        async with smtp_server(tls=authority.server()) as server:
            await a_mailer(server, "smtp", authority.trusted()).send(MAIL)

    assert len(server.mails) == 1
    assert any(line.startswith("AUTH PLAIN") for line in server.verbs)
    assert [line[:8].upper() for line in server.in_the_clear] == ["EHLO LOC", "STARTTLS"]


@pytest.mark.parametrize(("scheme", "is_encrypted"), [("smtps", True), ("smtp", False)])
async def test_a_certificate_of_an_unknown_authority_is_told_nothing(scheme: str, is_encrypted: bool) -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server(tls=Authority().server(), is_encrypted=is_encrypted) as server:
            with pytest.raises(MailFailed):
                await a_mailer(server, scheme, Authority().trusted()).send(MAIL)

    assert server.mails == []
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.verbs)


@pytest.mark.parametrize(("scheme", "is_encrypted"), [("smtps", True), ("smtp", False)])
async def test_a_certificate_of_another_host_is_told_nothing(scheme: str, is_encrypted: bool) -> None:
    authority = Authority()
    with trio.fail_after(WAIT_S):
        async with smtp_server(tls=authority.server("mail.example.org"), is_encrypted=is_encrypted) as server:
            with pytest.raises(MailFailed):
                await a_mailer(server, scheme, authority.trusted()).send(MAIL)

    assert server.mails == []
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.verbs)


async def test_without_encryption_another_machine_is_told_no_password() -> None:
    # Which reaches this machine as well, but is no loopback address.
    with trio.fail_after(WAIT_S):
        async with smtp_server() as server:
            with pytest.raises(MailFailed):
                await a_mailer(server, "smtp", Authority().trusted(), host="0.0.0.0").send(MAIL)  # noqa: S104

    assert server.mails == []
    assert not any(line.startswith("AUTH") for line in server.verbs)


async def test_a_server_that_offers_encryption_and_does_not_keep_it_is_a_failure() -> None:
    authority = Authority()
    with trio.fail_after(WAIT_S):
        async with smtp_server(tls=authority.server(), STAR="454 not now") as server:
            with pytest.raises(MailFailed):
                await a_mailer(server, "smtp", authority.trusted()).send(MAIL)

    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.verbs)
