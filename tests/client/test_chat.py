"""The terminal chat, with a scripted keyboard and a screen that can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import StringIO
from queue import SimpleQueue

import pytest
import trio
from rich.console import Console

from greenroom.chat import chat
from tests.http.world import PASSWORD, WAIT_S, World, a_world


@dataclass
class Terminal:
    """``type`` what a person types; ``until`` something is to be seen."""

    world: World
    keys: SimpleQueue[str] = field(default_factory=SimpleQueue)
    screen: StringIO = field(default_factory=StringIO)

    def type(self, line: str) -> None:
        self.keys.put(line + "\n")

    async def until(self, text: str) -> None:
        with trio.fail_after(WAIT_S):
            while text not in self.screen.getvalue():  # noqa: ASYNC110 - a screen tells nobody
                await trio.sleep(0.005)

    async def run(self) -> None:
        console = Console(file=self.screen, width=200)
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


async def test_a_wrong_number_or_command_says_what_there_is(terminal: Terminal) -> None:
    terminal.type("/open 7")
    await terminal.until("give a number of 1 to 1")
    terminal.type("/nonsense")
    await terminal.until("there is no /nonsense")
    terminal.type("to nobody")
    await terminal.until("no conversation is open")
