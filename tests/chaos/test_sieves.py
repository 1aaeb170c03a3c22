"""Whole messages are lost, and nothing else, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from chaos.proxy import Sieve
from chaos.sieves import Loss, PostgresSieve, RedisSieve

REDIS_ANSWERS = [b"+OK\r\n", b":2\r\n", b"$-1\r\n", b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", b"*0\r\n"]
REDIS_MESSAGE = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$6\r\n*1\r\n+x\r\n"
POSTGRES_ANSWERS = [b"R\0\0\0\x08\0\0\0\0", b"C\0\0\0\x0bLISTEN\0", b"Z\0\0\0\x05I"]
POSTGRES_MESSAGE = b"A\0\0\0\x0d\0\0\0\x01AZ\0A\0"

CASES = pytest.mark.parametrize(
    ("sieve", "answers", "message"),
    [(RedisSieve, REDIS_ANSWERS, REDIS_MESSAGE), (PostgresSieve, POSTGRES_ANSWERS, POSTGRES_MESSAGE)],
)


def passed(sieve: Sieve, data: bytes, *, piece: int) -> bytes:
    return b"".join(sieve(data[at : at + piece]) for at in range(0, len(data), piece))


@CASES
@pytest.mark.parametrize("piece", [1, 7, 1_000])
def test_without_loss_everything_arrives(
    sieve: Callable[[Loss], Sieve], answers: list[bytes], message: bytes, piece: int
) -> None:
    data = message.join(answers)
    assert passed(sieve(Loss(Random(1))), data, piece=piece) == data


@CASES
@pytest.mark.parametrize("piece", [1, 7, 1_000])
def test_with_all_messages_lost_every_answer_arrives(
    sieve: Callable[[Loss], Sieve], answers: list[bytes], message: bytes, piece: int
) -> None:
    loss = Loss(Random(1), share=1.0)
    assert passed(sieve(loss), message.join(answers), piece=piece) == b"".join(answers)
    assert (loss.lost, loss.carried) == (len(answers) - 1, 0)


def test_about_the_share_is_lost_and_the_same_for_the_same_seed() -> None:
    kept = [passed(RedisSieve(Loss(Random(7), share=0.1)), REDIS_MESSAGE * 1_000, piece=100) for _ in range(2)]
    assert kept[0] == kept[1]
    assert 850 <= kept[0].count(REDIS_MESSAGE) <= 950
