"""A counter that crashes, a supervisor that minds, and an asker who is told the truth. Run: python examples/kernel_counter.py"""

from __future__ import annotations

from dataclasses import dataclass

import trio

from greenroom.supervisor import Actor, ActorDied, ChildSpec, DynamicSpec, Request, SupervisorSpec, open_system


@dataclass(frozen=True, slots=True)
class Add(Request[int]):
    """Asks for the new total."""

    amount: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Told, never answered."""


class Counter(Actor[Add | Forget]):
    """One instance per incarnation, so a crash loses its state and nothing else."""

    async def init(self) -> None:
        self.total = 0

    async def handle(self, message: Add | Forget) -> int | None:
        match message:
            case Add(amount):
                if amount < 0:
                    raise ValueError("a counter only goes up")
                self.total += amount
                return self.total
            case Forget():
                self.total = 0
                return None


TREE = SupervisorSpec(
    "shop",
    (
        ChildSpec("till", Counter),
        DynamicSpec("visitors", "visitor", lambda name: Counter(), passivate_after_s=60),
    ),
)


async def main() -> None:
    async with open_system(TREE, seed=1) as system:
        till = system.address("/shop/till")
        print("till:", await till.ask(Add(2), timeout=1), await till.ask(Add(3), timeout=1))

        try:
            await till.ask(Add(-1), timeout=1)
        except ActorDied as died:
            print("the till crashed:", died.reason)
        print("restarted, counting from nothing:", await till.ask(Add(1), timeout=1))

        # A virtual address: the first message starts its actor, and there is never a second one.
        ada = system.virtual("visitor", "ada")
        ada.tell(Forget())
        print("ada:", await ada.ask(Add(10), timeout=1))

        for node in system.tree().children:
            print(node.path, node.state, f"restarts={node.restarts}", [child.path for child in node.children])


if __name__ == "__main__":
    trio.run(main)
