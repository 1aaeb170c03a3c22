"""The application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from argon2.exceptions import VerificationError
from broadcaster import Broadcast
from fastapi import FastAPI, Header, HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.exc import IntegrityError
from ulid import ULID

from bench.peers.fastapi_chat import core_send, orm_send
from bench.peers.fastapi_chat.database import engine, sessions
from bench.peers.fastapi_chat.settings import SEND
from bench.peers.fastapi_chat.tables import Base, Conversation, Event, Participant, Stream, User
from bench.peers.fastapi_chat.tokens import PASSWORDS, TOKENS, CurrentUser
from bench.peers.fastapi_chat.wire import (
    ConversationOut,
    Login,
    MessageOut,
    NoSuchConversation,
    Opened,
    Opening,
    Registration,
    Sending,
    SignedIn,
    StreamEvent,
    UserOut,
    cursor,
)

send = {"orm": orm_send.send, "core": core_send.send}[os.environ[SEND]]
broadcast = Broadcast("memory://")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables, and stop in order."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        # Half-empty pages let the next version of a hot row stay on its page.
        await connection.execute(text("ALTER TABLE streams SET (fillfactor = 50)"))
    async with broadcast:
        yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/api/v1/auth/register", status_code=201)
async def register(body: Registration) -> SignedIn:
    """Make an account, and sign in."""
    user = User(
        id=str(ULID()),
        email=body.email.lower(),
        password_hash=await run_in_threadpool(PASSWORDS.hash, body.password),
        display_name=body.display_name,
        role=body.role,
        created_at=datetime.now(UTC),
    )
    try:
        async with sessions.begin() as session:
            session.add_all([user, Stream(user_id=user.id)])
    except IntegrityError as exc:
        raise HTTPException(409, "the address is taken") from exc
    return _signed_in(user)


@app.post("/api/v1/auth/login")
async def login(body: Login) -> SignedIn:
    """Sign in."""
    async with sessions() as session:
        user = await session.scalar(select(User).where(User.email == body.email.lower()))
    try:
        if user is not None and await run_in_threadpool(PASSWORDS.verify, user.password_hash, body.password):
            return _signed_in(user)
    except VerificationError:
        pass
    raise HTTPException(401, "wrong address or password")


def _signed_in(user: User) -> SignedIn:
    out = UserOut(id=user.id, email=user.email, display_name=user.display_name, role=user.role)
    return SignedIn(user=out, access_token=TOKENS.sign(user.id).decode())


@app.post("/api/v1/conversations", status_code=201)
async def open_conversation(body: Opening, user_id: CurrentUser, response: Response) -> Opened:
    """Open the conversation with somebody, or find it."""
    async with sessions.begin() as session:
        users = await session.scalars(select(User).where(User.id.in_([user_id, body.participant_id])))
        by_role = {user.role: user.id for user in users}
        if by_role.keys() != {"student", "instructor"}:
            raise HTTPException(404, "there is nobody like that")
        now = datetime.now(UTC)
        pair = {"student_id": by_role["student"], "instructor_id": by_role["instructor"]}
        made = await session.scalar(
            postgres_insert(Conversation)
            .values(id=str(ULID()), **pair, created_at=now, last_message_at=now)
            .on_conflict_do_nothing()
            .returning(Conversation)
        )
        if made is None:
            response.status_code = 200
            made = await session.scalar(select(Conversation).filter_by(**pair))
        else:
            await session.execute(
                insert(Participant), [{"conversation_id": made.id, "user_id": both} for both in pair.values()]
            )
    return Opened(conversation=ConversationOut.model_validate(made))


@app.post("/api/v1/conversations/{conversation_id}/messages", status_code=201)
async def send_message(
    conversation_id: str, body: Sending, user_id: CurrentUser, response: Response
) -> MessageOut:
    """Send a message; it is durable when this answers."""
    try:
        sent = await send(conversation_id, user_id, body)
    except NoSuchConversation as exc:
        raise HTTPException(404, "there is no such conversation") from exc
    if not sent.events:
        response.status_code = 200
    for recipient, event in sent.events:
        await broadcast.publish(recipient, event)
    return sent.message


@app.get("/api/v1/events", response_class=EventSourceResponse)
async def follow(
    user_id: CurrentUser, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """The user's events after the cursor, or from now on."""
    # Subscribed first: what comes while the past is read waits in the queue, and what was read is dropped there.
    async with broadcast.subscribe(user_id) as subscriber:
        async with sessions() as session:
            tail = await session.scalar(select(Stream.last_seq).where(Stream.user_id == user_id)) or 0
            last = tail if last_event_id is None else int(last_event_id.rpartition(".")[2])
            missed = await session.execute(
                select(Event.seq, Event.name, Event.data)
                .where(Event.user_id == user_id, Event.seq > last)
                .order_by(Event.seq)
            )
            past = [StreamEvent(*row) for row in missed]
        yield ServerSentEvent(id=cursor(last), event="ready", data={"user_id": user_id, "tail": cursor(tail)})
        for event in past:
            last = event.seq
            yield event.frame()
        async for published in subscriber:
            event = published.message
            if event.seq > last:
                last = event.seq
                yield event.frame()
