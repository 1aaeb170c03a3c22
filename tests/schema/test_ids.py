from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from greenroom.schema.ids import RandomIds, is_ulid


@given(st.integers(0, 2**80 - 1), st.floats(0, 2**37))
def test_a_ulid_is_the_moment_and_the_random_bits_in_crockfords_base32(bits: int, seconds: float) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)

    class Drawn(Random):
        def getrandbits(self, k: int) -> int:
            return bits

    text = RandomIds(Drawn(), lambda: moment).ulid()

    milliseconds = int(moment.timestamp() * 1000)
    assert is_ulid(text)
    assert ULID.from_str(text).bytes == milliseconds.to_bytes(6, "big") + bits.to_bytes(10, "big")
