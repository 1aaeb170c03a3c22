"""The same job on FastAPI, uvicorn (uvloop, httptools), SQLAlchemy 2 on asyncpg, and broadcaster.

Accounts, tokens, conversations, messages and event streams, with the same promises about them as greenroom's: a send is
idempotent by its client id, dense in its conversation, and appends an event with a sequence of its own and absolute
unread counts to the streams of both users, all in one transaction; a stream resumes at its cursor without a gap.

Written to be fast the way these libraries are meant to be used, and given the better part wherever there is a choice:

- a send is six statements and no more, counters are raised by ``UPDATE ... RETURNING``, rows are inserted without
  an object per row, statements are compiled once;
- tokens are signed and need no look-up, where greenroom's can be revoked;
- broadcaster's memory backend hands objects over within the process; its Postgres backend would send a ``NOTIFY`` per
  event. Two workers would need that one.

``python -m bench.peers.fastapi_chat CONNINFO`` makes its tables, prints its port and serves until it is ended.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from broadcaster import Broadcast
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.sse import EventSourceResponse, ServerSentEvent
from itsdangerous import BadSignature, TimestampSigner
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from ulid import ULID

POOL_SIZE: Final = 16
"""Of 8, 16 and 32 connections, for 32 senders at once, the one with most sends a second."""

TOKEN_S_MAX: Final = 7 * 24 * 3600
TOKENS: Final = TimestampSigner("a secret of one run", salt="access-token")
PASSWORDS: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""As greenroom's, and as OWASP recommends."""


# Tables.


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[type, Any]] = {datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    display_name: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[datetime]
    last_event_seq: Mapped[int] = mapped_column(default=0)


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("student_id", "instructor_id"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    student_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    instructor_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    last_seq: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    last_message_at: Mapped[datetime]


class Participant(Base):
    __tablename__ = "participants"
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    unread_count: Mapped[int] = mapped_column(default=0)


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        ForeignKeyConstraint(
            ["conversation_id", "sender_id"], ["participants.conversation_id", "participants.user_id"]
        ),
        Index(
            "messages_client_key",
            "conversation_id",
            "sender_id",
            "client_id",
            unique=True,
            postgresql_where=text("client_id IS NOT NULL"),
        ),
    )
    conversation_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    sender_id: Mapped[str]
    content: Mapped[str]
    client_id: Mapped[str | None]
    created_at: Mapped[datetime]


class Event(Base):
    __tablename__ = "events"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    name: Mapped[str]
    data: Mapped[str]


# What goes over the wire.


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Registration(Body):
    email: Annotated[str, Field(pattern=r"^\S+@\S+$", max_length=254)]
    password: Annotated[str, Field(min_length=8, max_length=128)]
    display_name: Annotated[str, Field(min_length=1, max_length=80)]
    role: Literal["student", "instructor"]


class Login(Body):
    email: str
    password: str


class Opening(Body):
    participant_id: str


class Sending(Body):
    content: Annotated[str, Field(min_length=1, max_length=5000)]
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class UserOut(BaseModel):
    id: str
    email: str
    display_name: str
    role: str


class SignedIn(BaseModel):
    user: UserOut
    access_token: str
    token_type: str = "bearer"


class ConversationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    student_id: str
    instructor_id: str
    last_seq: int
    created_at: datetime


class Opened(BaseModel):
    conversation: ConversationOut


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    conversation_id: str
    seq: int
    sender_id: str
    content: str
    client_id: str | None
    created_at: datetime


class MessageCreated(BaseModel):
    message: MessageOut
    unread_count: int
    total_unread: int


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """What the broadcast carries, and what a replay reads."""

    seq: int
    name: str
    data: str

    def frame(self) -> ServerSentEvent:
        return ServerSentEvent(id=cursor(self.seq), event=self.name, raw_data=self.data)


def cursor(seq: int) -> str:
    return f"v1.peer.{seq}"


# The application.


def engine_of(conninfo: str) -> Any:
    """An engine on the database that a libpq connection string names."""
    params = conninfo_to_dict(conninfo)
    names = {"host": "host", "port": "port", "user": "user", "dbname": "database", "password": "password"}
    connect_args = {names[key]: value for key, value in params.items() if key in names}
    return create_async_engine(
        "postgresql+asyncpg://", connect_args=connect_args, pool_size=POOL_SIZE, max_overflow=0
    )


engine = engine_of(sys.argv[1])
sessions = async_sessionmaker(engine, expire_on_commit=False)
broadcast = Broadcast("memory://")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with broadcast:
        yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer()


async def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    """The id of who is signed in."""
    try:
        return TOKENS.unsign(credentials.credentials, max_age=TOKEN_S_MAX).decode()
    except BadSignature as exc:
        raise HTTPException(401, "not signed in") from exc


CurrentUser = Annotated[str, Depends(current_user)]


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
            session.add(user)
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
            insert(Conversation)
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
    now = datetime.now(UTC)
    async with sessions() as session:
        # Takes the conversation's lock: whoever writes in it stands in line, so that its sequence is dense.
        conversation = (
            await session.execute(
                update(Conversation)
                .where(
                    Conversation.id == conversation_id,
                    or_(Conversation.student_id == user_id, Conversation.instructor_id == user_id),
                )
                .values(last_seq=Conversation.last_seq + 1, last_message_at=now)
                .returning(Conversation.last_seq, Conversation.student_id, Conversation.instructor_id)
            )
        ).one_or_none()
        if conversation is None:
            raise HTTPException(404, "there is no such conversation")
        message = {
            "conversation_id": conversation_id,
            "seq": conversation.last_seq,
            "id": str(ULID()),
            "sender_id": user_id,
            "content": body.content,
            "client_id": body.client_id,
            "created_at": now,
        }
        inserted = await session.scalar(
            insert(Message).values(message).on_conflict_do_nothing().returning(Message.seq)
        )
        if inserted is None:
            await session.rollback()
            response.status_code = 200
            return await _sent_before(session, conversation_id, user_id, body.client_id)
        sent = MessageOut.model_construct(**message)
        events = await _append_events(session, sent, [conversation.student_id, conversation.instructor_id], now)
        await session.commit()
    for recipient, event in events:
        await broadcast.publish(recipient, event)
    return sent


async def _sent_before(
    session: AsyncSession, conversation_id: str, sender_id: str, client_id: str | None
) -> MessageOut:
    same = {"conversation_id": conversation_id, "sender_id": sender_id, "client_id": client_id}
    return MessageOut.model_validate((await session.scalars(select(Message).filter_by(**same))).one())


async def _append_events(
    session: AsyncSession, sent: MessageOut, user_ids: list[str], now: datetime
) -> list[tuple[str, StreamEvent]]:
    """Count the message as unread, and append an event to both streams; within the transaction of the message."""
    await session.execute(
        update(Participant)
        .where(Participant.conversation_id == sent.conversation_id, Participant.user_id != sent.sender_id)
        .values(unread_count=Participant.unread_count + 1)
    )
    # Locked in order of ids, so that two who write to each other's streams never wait in a circle.
    locked = (
        select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update(key_share=True).subquery()
    )
    raised = await session.execute(
        update(User)
        .where(User.id == locked.c.id)
        .values(last_event_seq=User.last_event_seq + 1)
        .returning(User.id, User.last_event_seq)
        .execution_options(synchronize_session=False)
    )
    seqs = {user_id: seq for user_id, seq in raised}  # noqa: C416 - rows are no pairs
    here = Participant.conversation_id == sent.conversation_id
    counted = await session.execute(
        select(
            Participant.user_id,
            func.sum(Participant.unread_count).filter(here),
            func.sum(Participant.unread_count),
        )
        .where(Participant.user_id.in_(user_ids))
        .group_by(Participant.user_id)
    )
    events = []
    for user_id, unread, total in counted:
        data = MessageCreated.model_construct(message=sent, unread_count=int(unread), total_unread=int(total))
        events.append((user_id, StreamEvent(seqs[user_id], "message.created", data.model_dump_json())))
    rows = [
        {"user_id": user_id, "seq": event.seq, "at": now, "name": event.name, "data": event.data}
        for user_id, event in events
    ]
    await session.execute(insert(Event).values(rows))
    return events


@app.get("/api/v1/events", response_class=EventSourceResponse)
async def follow(
    user_id: CurrentUser, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """The user's events after the cursor, or from now on."""
    # Subscribed first: what comes while the past is read waits in the queue, and what was read is dropped there.
    async with broadcast.subscribe(user_id) as subscriber:
        async with sessions() as session:
            tail = await session.scalar(select(User.last_event_seq).where(User.id == user_id)) or 0
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


def main() -> None:
    """Serve on a port of the kernel's choice; printed when it listens, and requests then wait for the start."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
