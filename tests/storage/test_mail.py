"""Mail, handed in to a server on loopback."""

from __future__ import annotations

import logging
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
import trio

from greenroom.storage.mail import BadSmtpUrl, LogMailer, Mail, MailFailed, SmtpMailer, SmtpServer
from tests.storage.builders import NOW
from tests.storage.smtp_server import SmtpServerForTests, smtp_server

WAIT_S = 10
MAIL = Mail(
    to="maya@example.com",
    to_name="Maya Lindqvist",
    subject="Booked: Piano für\nElise",
    text="Hello,\n\n.hidden dots stay, and so does ü.\n",
    message_id="<01EVENT.mail_student@example.org>",
    at=NOW,
)


def a_mailer(server: SmtpServerForTests, *, user: str = "", answer_timeout_s: float = 5.0) -> SmtpMailer:
    url = f"smtp://{user}127.0.0.1:{server.port}"
    return SmtpMailer(
        SmtpServer.parse(url), sender="Green Room <lessons@example.org>", answer_timeout_s=answer_timeout_s
    )


async def test_a_mail_arrives_as_it_was_meant() -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server() as server:
            await a_mailer(server).send(MAIL)

    [(recipient, text)] = server.mails
    received = cast(
        "EmailMessage", message_from_bytes(text.replace("\n..", "\n.").encode(), policy=policy.default)
    )
    assert recipient == "maya@example.com"
    assert received["To"] == "Maya Lindqvist <maya@example.com>"
    assert received["From"] == "Green Room <lessons@example.org>"
    assert received["Subject"] == "Booked: Piano für Elise"
    assert received["Message-ID"] == MAIL.message_id
    assert received["Auto-Submitted"] == "auto-generated"
    assert received.get_content().strip() == MAIL.text.strip()
    assert [line[:4] for line in server.verbs if "AUTH" in line] == []


async def test_a_user_and_password_are_said_to_a_server_of_ones_own_machine() -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server() as server:
            await a_mailer(server, user="us%40er:p%3Aw@").send(MAIL)

    assert any(line.startswith("AUTH PLAIN") for line in server.verbs)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("GREETING", "554 not you"),
        ("RCPT", "550 no such maya@example.com"),
        ("BODY", "451 later"),
        ("AUTH", "535 wrong"),
        ("GREETING", "what?"),
    ],
)
async def test_a_refusal_is_told_without_an_address(verb: str, answer: str) -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server(**{verb: answer}) as server:
            with pytest.raises(MailFailed) as caught:
                await a_mailer(server, user="u:p@").send(MAIL)

    assert "maya" not in str(caught.value)
    assert server.mails == []


async def test_a_server_that_falls_silent_is_given_up_by_the_thread_itself() -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server(DATA="") as server:
            with pytest.raises(MailFailed):
                await a_mailer(server, answer_timeout_s=0.2).send(MAIL)


async def test_whoever_gives_up_waiting_leaves_no_dialogue_behind() -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server(RCPT="") as server:
            with trio.move_on_after(0.3) as scope:
                await a_mailer(server, answer_timeout_s=60).send(MAIL)
            await server.closed.wait()

    assert scope.cancelled_caught
    assert server.mails == []


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    async with smtp_server() as server:
        pass
    with trio.fail_after(WAIT_S), pytest.raises(MailFailed):
        await a_mailer(server).send(MAIL)


async def test_how_a_server_says_goodbye_does_not_matter() -> None:
    with trio.fail_after(WAIT_S):
        async with smtp_server(QUIT="500 what") as server:
            await a_mailer(server).send(MAIL)

    assert len(server.mails) == 1


async def test_without_a_server_the_log_names_neither_address_nor_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    await LogMailer().send(MAIL)

    assert MAIL.message_id in caplog.text
    assert "maya" not in caplog.text
    assert "Piano" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://a",
        "smtp://",
        "smtp://user@a",
        "smtp://a:99999",
        "smtp://a/path",
        "smtp://a?x=1",
        "mail.example.org",
    ],
)
def test_urls_that_name_no_server_are_refused(url: str) -> None:
    with pytest.raises(BadSmtpUrl):
        SmtpServer.parse(url)


def test_a_url_names_a_server() -> None:
    assert SmtpServer.parse("smtps://u%40x:p%2Fw@mail.example.org") == SmtpServer(
        "mail.example.org", 465, "u@x", "p/w", is_encrypted=True
    )
    assert SmtpServer.parse("smtp://mail.example.org:2525").port == 2525
    assert SmtpServer.parse("smtp://[::1]").is_loopback
    assert not SmtpServer.parse("smtp://mail.example.org").is_loopback
