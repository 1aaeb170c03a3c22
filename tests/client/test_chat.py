"""The terminal chat, with a scripted keyboard and a screen that can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import StringIO
from queue import SimpleQueue

import pytest
import trio
from rich.console import Console

from greenroom.chat import chat
from greenroom.schema.records import MessageKind, Role
from tests.http.world import PASSWORD, WAIT_S, World, a_world


@dataclass
class Terminal:
    """``type`` what a person types; ``until`` something is to be seen."""

    world: World
    keys: SimpleQueue[str] = field(default_factory=SimpleQueue)
    screen: StringIO = field(default_factory=StringIO)
    is_real: bool = False

    def type(self, line: str) -> None:
        self.keys.put(line + "\n")

    async def until(self, text: str) -> None:
        with trio.fail_after(WAIT_S):
            while text not in self.screen.getvalue():  # noqa: ASYNC110 - a screen tells nobody
                await trio.sleep(0.005)

    async def run(self) -> None:
        console = Console(file=self.screen, width=200, force_terminal=self.is_real, color_system=None)
        await chat(self.world.url, self.world.maya.email, PASSWORD, console=console, read_line=self.keys.get)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as running:
        yield running


@pytest.fixture
async def terminal(world: World, nursery: trio.Nursery) -> AsyncIterator[Terminal]:
    terminal = Terminal(world)
    talk = await world.talk()
    await world.say(talk, "Welcome!", by=world.tomas)
    nursery.start_soon(terminal.run)
    await terminal.until("/quit")
    yield terminal
    terminal.type("/quit")


async def test_what_is_typed_is_sent_and_what_is_written_appears(world: World, terminal: Terminal) -> None:
    terminal.type("/open 1")
    await terminal.until("Welcome!")
    terminal.type("Thank you")
    await terminal.until("you  Thank you")

    await world.say(await world.talk(), "See you on Saturday", by=world.tomas)

    await terminal.until("Tomas  See you on Saturday")


async def test_what_others_write_cannot_command_the_terminal(world: World, terminal: Terminal) -> None:
    terminal.type("/open 1")
    await world.say(await world.talk(), "\x1b[2Jgone [bold]markup[/bold]", by=world.tomas)

    await terminal.until("\N{REPLACEMENT CHARACTER}[2Jgone [bold]markup[/bold]")
    assert "\x1b" not in terminal.screen.getvalue()


@pytest.fixture
async def real_terminal(world: World, nursery: trio.Nursery) -> AsyncIterator[Terminal]:
    """One that shows a prompt, and echoes what is typed by itself."""
    terminal = Terminal(world, is_real=True)
    talk = await world.talk()
    await world.say(talk, "Welcome!", by=world.tomas)
    nursery.start_soon(terminal.run)
    await terminal.until("/quit")
    terminal.type("/open 1")
    await terminal.until("Welcome!")
    yield terminal
    terminal.type("/quit")


async def test_what_arrives_stands_on_lines_of_its_own_and_the_prompt_comes_back(
    world: World, real_terminal: Terminal
) -> None:
    await world.say(await world.talk(), "Are you there?", by=world.tomas)

    await real_terminal.until("Are you there?\n> ")
    before, _, _ = real_terminal.screen.getvalue().partition("Are you there?")
    *_, typed_on, shown = before.splitlines()
    assert typed_on == "> "
    assert shown.endswith("Tomas  ")


async def test_ones_own_line_is_not_shown_a_second_time(world: World, real_terminal: Terminal) -> None:
    real_terminal.type("Only once")
    await world.say(await world.talk(), "From elsewhere", by=world.maya)
    await real_terminal.until("you  From elsewhere")
    await world.say(await world.talk(), "Got it", by=world.tomas)
    await real_terminal.until("Got it")

    assert "Only once" not in real_terminal.screen.getvalue()


async def test_that_it_was_read_is_said_once_and_in_words(world: World, terminal: Terminal) -> None:
    talk = await world.talk()
    terminal.type("/open 1")
    await terminal.until("Welcome!")
    terminal.type("Is Saturday all right?")
    await terminal.until("you  Is Saturday")

    for _ in range(2):
        await world.tomas.api.post(f"/api/v1/conversations/{talk}/read", json={"seq": 2})
    await terminal.until("Tomas has read what you wrote")
    await world.say(talk, "Yes", by=world.tomas)
    await world.tomas.api.post(f"/api/v1/conversations/{talk}/read", json={"seq": 3})
    await world.say(talk, "At ten", by=world.tomas)
    await terminal.until("At ten")

    assert terminal.screen.getvalue().count("has read") == 1


async def test_deleted_and_edited_messages_are_marked_as_they_change_and_in_the_history(
    world: World, terminal: Terminal
) -> None:
    talk = await world.talk()
    terminal.type("/open 1")
    await terminal.until("Welcome!")
    wrong, secret = [await world.say(talk, text, by=world.tomas) for text in ("At tne", "My secret")]
    await terminal.until("My secret")

    await world.tomas.api.patch(f"/api/v1/messages/{wrong['id']}", json={"content": "At ten"})
    await terminal.until("Tomas  At ten (edited)")
    await world.tomas.api.delete(f"/api/v1/messages/{secret['id']}")
    await terminal.until("Tomas  (deleted)")

    terminal.type("/open 1")
    await terminal.until("this is where the conversation begins\n")
    with trio.fail_after(WAIT_S):
        while terminal.screen.getvalue().count("(deleted)") < 2:  # noqa: ASYNC110 - a screen tells nobody
            await trio.sleep(0.005)
    assert terminal.screen.getvalue().count("At ten (edited)") == 2


async def test_messages_of_another_day_stand_below_its_date(world: World, terminal: Terminal) -> None:
    talk = await world.talk()
    (kept,) = world.database.tables.messages.values()
    kept[0] = replace(kept[0], created_at=datetime(2026, 1, 5, 12, tzinfo=UTC))
    await world.say(talk, "Today", by=world.tomas)

    terminal.type("/open 1")
    # The list of conversations says the last message too.
    await terminal.until("this is where the conversation begins\n")
    await terminal.until("Tomas  Today")

    lines = terminal.screen.getvalue().splitlines()
    at = next(number for number, line in enumerate(lines) if "Monday, 5 January 2026" in line)
    assert "Welcome!" in lines[at + 1]
    assert lines[at + 2].startswith("--- ")
    assert "Today" in lines[at + 3]


async def test_an_instructor_is_found_without_the_accents_of_the_name(world: World, terminal: Terminal) -> None:
    await world.join("zoë ibáñez", Role.INSTRUCTOR)
    terminal.type("/with zoe ibanez")
    await terminal.until("--- Zoë Ibáñez (instructor)")


async def test_where_there_is_nothing_older_it_is_said(terminal: Terminal) -> None:
    terminal.type("/more")
    await terminal.until("no conversation is open")
    terminal.type("/open 1")
    await terminal.until("this is where the conversation begins")
    terminal.type("/more")
    await terminal.until("there is nothing older")


async def test_a_wrong_number_or_command_says_what_there_is(terminal: Terminal) -> None:
    terminal.type("/open 7")
    await terminal.until("give a number of 1 to 1")
    terminal.type("/nonsense")
    await terminal.until("there is no /nonsense")
    terminal.type("to nobody")
    await terminal.until("no conversation is open")


async def test_nobody_of_that_name_is_said_in_a_word(world: World, terminal: Terminal) -> None:
    terminal.type("/with nobody at all")
    await terminal.until("no instructor is called that")


async def test_what_the_system_says_is_in_nobodys_mouth(world: World, terminal: Terminal) -> None:
    talk = await world.talk()
    (kept,) = world.database.tables.messages.values()
    told = replace(kept[0], kind=MessageKind.SYSTEM, sender_id=None, content="A lesson was booked.")
    kept[0] = told

    terminal.type("/open 1")
    await terminal.until("A lesson was booked.")

    (line,) = [line for line in terminal.screen.getvalue().splitlines() if "A lesson was booked." in line]
    assert "Tomas" not in line
    assert "you" not in line
    assert talk
