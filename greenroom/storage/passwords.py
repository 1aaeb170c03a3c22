"""Passwords: argon2id in a bounded number of threads, and a quick stand-in for simulations."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Final, Protocol

import trio
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from greenroom.schema.errors import LoginBusy

MEMORY_KIB: Final = 19 * 1024
TIME_COST: Final = 2
PARALLELISM: Final = 1
"""19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's first recommendation for argon2id."""

WAITING_MAX: Final = 60
"""Sign-ins that may wait for a slot: at about 30 ms each on two slots, more could not be served within a second."""


class Passwords(Protocol):
    """Port: turns passwords into hashes and compares them."""

    async def hash(self, password: str) -> str:
        """Return an encoded hash that carries its own parameters and salt.

        Raises:
            LoginBusy: no slot came free within the queue timeout.
        """
        ...

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Say whether ``password`` is the one behind ``encoded``; None does the same work and says no.

        Raises:
            LoginBusy: no slot came free within the queue timeout.
        """
        ...

    def is_outdated(self, encoded: str) -> bool:
        """Say whether ``encoded`` was made with other parameters than today's."""
        ...


class Argon2Passwords:
    """argon2id (RFC 9106) in threads, at most ``slots`` at once.

    Args:
        slots: hashes computed at once; more than there are cores only makes each one slower.
        queue_timeout_s: how long a sign-in waits for a slot before it is told to come back.
    """

    def __init__(self, *, slots: int, queue_timeout_s: float) -> None:
        self._hasher = PasswordHasher(
            time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM, type=Type.ID
        )
        self._slots = trio.Semaphore(slots)
        self._threads = trio.CapacityLimiter(slots)
        self._queue_timeout_s = queue_timeout_s
        # What an unknown account is compared with, so that it costs what a known one costs.
        self._nobody = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        await self._take_slot()
        try:
            return await trio.to_thread.run_sync(self._hasher.hash, password, limiter=self._threads)
        finally:
            self._slots.release()

    async def verify(self, password: str, encoded: str | None) -> bool:
        await self._take_slot()
        try:
            matches = await trio.to_thread.run_sync(
                self._matches, password, encoded or self._nobody, limiter=self._threads
            )
        finally:
            self._slots.release()
        return matches and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        return self._hasher.check_needs_rehash(encoded)

    def _matches(self, password: str, encoded: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _take_slot(self) -> None:
        if self._slots.statistics().tasks_waiting >= WAITING_MAX:
            raise LoginBusy(retry_after_s=1.0)
        with trio.move_on_after(self._queue_timeout_s):
            await self._slots.acquire()
            return
        raise LoginBusy(retry_after_s=1.0)


class SimulatedPasswords:
    """Plain SHA-256 without threads: for simulations and tests, where a real hash only costs time."""

    async def hash(self, password: str) -> str:
        await trio.lowlevel.checkpoint()
        return f"simulated:{sha256(password.encode()).hexdigest()}"

    async def verify(self, password: str, encoded: str | None) -> bool:
        return encoded is not None and compare_digest(await self.hash(password), encoded)

    def is_outdated(self, encoded: str) -> bool:
        return False
