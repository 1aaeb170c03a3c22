"""``greenroom chat``: talk from a terminal, with the same client library that anybody may use.

Lines are sent to the open conversation; what others write appears as it comes, on lines of its own. What was being typed
stays where it is above, in the hands of the terminal: the line is sent as a whole when it is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import count
from random import SystemRandom
from typing import Final

import trio
from rich.console import Console
from rich.text import Text

from greenroom.client import ClientError, Event, Greenroom, Refused, StreamState, connect
from greenroom.schema.clock import WallClock, system_wall_clock
from greenroom.schema.events import ConversationMarked, MessageChanged, MessageCreated, Presence, Reset, Typing
from greenroom.schema.ids import Ids, RandomIds
from greenroom.schema.records import MessageKind
from greenroom.schema.wire import ConversationOut, MessageOut

HISTORY: Final = 20
"""Messages shown on opening a conversation: about a screen."""

LIST_MAX: Final = 100
SHOWN_MAX: Final = 10
PROMPT: Final = "> "
HELP: Final = """\
/list         conversations, newest first        /open N       open the one with number N
/with NAME    open one with an instructor        /more         older messages of the open one
/help         this                               /quit         leave (also Ctrl-D)
Anything else is sent to the open conversation."""

ReadLine = Callable[[], str]
"""Blocks until a line is typed; an empty string at the end of input."""


class Chat:
    """One person at one terminal."""

    def __init__(self, greenroom: Greenroom, console: Console, *, ids: Ids, wall: WallClock) -> None:
        self._greenroom = greenroom
        self._console = console
        self._me = ""
        self._conversations: list[ConversationOut] = []
        self._open: ConversationOut | None = None
        self._oldest_seq: int | None = None
        self._day: date | None = None  # of the last message shown
        self._said_seq = 0  # of one's own last message in the open conversation
        self._read_seq = 0  # up to which the other has read it, as was told
        self._is_prompting = False  # the cursor stands behind the prompt, or behind what is being typed
        self._wall = wall
        self._own = ids.ulid()  # what is sent from this terminal
        self._client_ids = (f"{self._own}-{number}" for number in count())

    async def run(self, read_line: ReadLine) -> None:
        """Talk until the input ends or /quit."""
        self._me = (await self._greenroom.me()).id
        snapshot = await self._greenroom.sync()
        self._conversations = snapshot.conversations[:LIST_MAX]
        self._list()
        self._say(HELP, "dim")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow, snapshot.cursor)
            await self._obey(read_line)
            nursery.cancel_scope.cancel()

    async def _obey(self, read_line: ReadLine) -> None:
        while True:
            self._prompt()
            # Abandoned on leaving: nobody can interrupt a thread that waits for a key.
            line = await trio.to_thread.run_sync(read_line, abandon_on_cancel=True)
            self._is_prompting = False  # the end of the line that was typed ended it
            if not line or line.strip() == "/quit":
                return
            try:
                await self._do(line.strip())
            except ClientError as error:
                self._say(str(error), "red")

    async def _do(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        match command:
            case "":
                return
            case "/help":
                self._say(HELP, "dim")
            case "/list":
                self._conversations = (await self._greenroom.conversations(limit=LIST_MAX)).items
                self._list()
            case "/open":
                await self._open_number(rest)
            case "/with":
                await self._open_with(rest)
            case "/more":
                await self._more()
            case _ if command.startswith("/"):
                self._say(f"there is no {command}; /help lists what there is", "yellow")
            case _ if self._open is None:
                self._say("no conversation is open: /open N, or /with NAME", "yellow")
            case _:
                await self._greenroom.send(self._open.id, line, client_id=next(self._client_ids))

    async def _open_number(self, text: str) -> None:
        if not text.isdecimal() or not 1 <= int(text) <= len(self._conversations):
            self._say(f"give a number of 1 to {len(self._conversations)}, as /list shows them", "yellow")
            return
        await self._show(self._conversations[int(text) - 1])

    async def _open_with(self, name: str) -> None:
        if not name:
            self._say("give a part of an instructor's name: /with NAME", "yellow")
            return
        page = await self._greenroom.instructors(name=name, limit=SHOWN_MAX)
        found = page.items
        if not found:
            self._say("no instructor is called that", "yellow")
            return
        if len(found) > 1:
            names = ", ".join(i.display_name for i in found)
            more = " and others" if page.next_cursor is not None else ""
            self._say(f"several instructors are called that: {names}{more}", "yellow")
            return
        await self._show((await self._greenroom.open_conversation(found[0].id)).conversation)

    async def _show(self, conversation: ConversationOut) -> None:
        self._open, self._oldest_seq = conversation, None
        self._day = self._wall().astimezone().date()  # whose messages need no heading
        self._said_seq, self._read_seq = 0, conversation.other_last_read_seq
        self._say(f"--- {conversation.other.display_name} ({conversation.other.role.value})", "bold")
        await self._more()
        if conversation.unread_count:
            await self._greenroom.mark_read(conversation.id, conversation.last_seq)

    async def _more(self) -> None:
        if self._open is None:
            self._say("no conversation is open: /open N, or /with NAME", "yellow")
            return
        if self._oldest_seq is not None:
            self._day = None  # what follows is older than what stands above it
        page = await self._greenroom.messages(self._open.id, before=self._oldest_seq, limit=HISTORY)
        if page.items:
            self._oldest_seq = page.items[0].seq
        if not page.has_more:
            self._say("this is where the conversation begins" if page.items else "there is nothing older", "dim")
        for message in page.items:
            self._message(message, self._open)

    # What comes in.

    async def _follow(self, cursor: str) -> None:
        async with self._greenroom.events(cursor, on_state=self._state) as events:
            try:
                async for event in events:
                    was_prompting = self._is_prompting
                    await self._take(event)
                    if was_prompting and not self._is_prompting:
                        self._prompt()
            except ClientError as error:
                self._say(f"{error}; start again to go on", "red")

    async def _take(self, event: Event) -> None:
        open_id = None if self._open is None else self._open.id
        match event.data:
            case MessageCreated(message=message) if message.conversation_id == open_id and self._open is not None:
                if not (self._is_echoed and (message.client_id or "").startswith(self._own)):
                    self._message(message, self._open)
                if message.sender_id == self._me:
                    self._said_seq = message.seq
                else:
                    await self._mark_read(message)
            case MessageChanged(message=message) if message.conversation_id == open_id and self._open is not None:
                self._message(message, self._open)
            case MessageCreated(message=message, unread_count=unread) if message.sender_id != self._me:
                self._say(f"({unread} unread from {self._name(message.conversation_id)}; /list, /open N)", "cyan")
            case Typing(conversation_id=where, is_typing=True) if where == open_id and self._open is not None:
                self._say(f"{self._open.other.display_name} is typing ...", "dim")
            case ConversationMarked(conversation_id=where, user_id=who, seq=seq) if (
                event.name == "conversation.read"
                and where == open_id
                and who != self._me
                and self._open is not None
            ):
                if self._read_seq < self._said_seq <= seq:
                    self._say(f"{self._open.other.display_name} has read what you wrote", "dim")
                self._read_seq = max(self._read_seq, seq)
            case Presence(user_id=who, online=online) if self._open is not None and who == self._open.other.id:
                self._say(f"{self._open.other.display_name} is {'here' if online else 'away'}", "dim")
            case Reset():
                self._say("some history was missed while away; /list and /open show it", "yellow")
            case _:
                pass

    async def _mark_read(self, message: MessageOut) -> None:
        try:
            await self._greenroom.mark_read(message.conversation_id, message.seq)
        except Refused as error:
            self._say(str(error), "red")

    def _state(self, state: StreamState) -> None:
        if state is StreamState.RECONNECTING:
            self._say("connection lost; coming back ...", "yellow")

    # What is shown.

    def _list(self) -> None:
        for number, conversation in enumerate(self._conversations, start=1):
            unread = f"  {conversation.unread_count} unread" if conversation.unread_count else ""
            self._say(f"{number:>3}  {conversation.other.display_name}{unread}", "bold" if unread else "")
        if not self._conversations:
            self._say("no conversations yet", "dim")

    def _message(self, message: MessageOut, conversation: ConversationOut) -> None:
        mine = message.sender_id == self._me
        if mine:
            self._said_seq = max(self._said_seq, message.seq)
        day = message.created_at.astimezone().date()
        if day != self._day:
            self._day = day
            self._say(f"--- {day:%A, %-d %B %Y}", "dim")
        text = Text(f"{_clock(message.created_at)}  ", style="dim")
        if message.kind is MessageKind.SYSTEM:
            text.append(_harmless(message.content), style="italic")
            self._print(text)
            return
        who = "you" if mine else conversation.other.display_name
        text.append(_harmless(who), style="green" if mine else "bold cyan")
        if message.deleted_at is not None:
            text.append("  (deleted)", style="dim italic")
        else:
            text.append(f"  {_harmless(message.content)}")
            if message.edited_at is not None:
                text.append(" (edited)", style="dim")
        self._print(text)

    def _name(self, conversation_id: str) -> str:
        known: Sequence[ConversationOut] = self._conversations
        return next((c.other.display_name for c in known if c.id == conversation_id), "somebody new")

    def _say(self, text: str, style: str) -> None:
        # As text: what people call themselves is no markup.
        self._print(Text(_harmless(text), style=style))

    @property
    def _is_echoed(self) -> bool:
        """Whether what is typed stands on the screen already."""
        return self._console.is_terminal

    def _prompt(self) -> None:
        if self._is_echoed:
            self._console.print(PROMPT, end="", style="dim", highlight=False)
            self._is_prompting = True

    def _print(self, text: Text) -> None:
        if self._is_prompting:
            self._is_prompting = False
            self._console.print()  # what is being typed keeps its line
        self._console.print(text)


async def chat(url: str, email: str, password: str, *, console: Console, read_line: ReadLine) -> None:
    """Sign in and talk; raises ClientError if signing in fails."""
    async with connect(url) as greenroom:
        await greenroom.sign_in(email, password)
        try:
            ids = RandomIds(SystemRandom(), system_wall_clock)
            await Chat(greenroom, console, ids=ids, wall=system_wall_clock).run(read_line)
        finally:
            with trio.move_on_after(2, shield=True):
                await greenroom.sign_out()


def _harmless(text: str) -> str:
    """Keep what others wrote from commanding the terminal (ECMA-48's control sequences begin with such characters)."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M")
