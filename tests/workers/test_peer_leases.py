from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greenroom.actors.peer_leases import PeerLeases
from greenroom.schema.ids import UserId

MAYA, TOMAS = UserId("maya"), UserId("tomas")

WORDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([MAYA, TOMAS]), st.sampled_from([0, 30]), st.integers(0, 20)),
    max_size=30,
)


def test_a_user_is_held_until_the_last_worker_lets_go() -> None:
    leases = PeerLeases()
    leases.renew("a", [MAYA], until=30.0)
    leases.renew("b", [MAYA], until=30.0)
    assert leases.end("a", [MAYA]) == set()
    assert leases.holds(MAYA)
    assert leases.end("b", [MAYA]) == {MAYA}
    assert not leases.holds(MAYA)


def test_ending_what_never_began_is_nothing() -> None:
    assert PeerLeases().end("a", [MAYA]) == set()


def test_a_worker_with_nobody_is_known_to_live_for_as_long_as_it_says() -> None:
    leases = PeerLeases()
    leases.renew("a", [], until=30.0)
    assert leases.workers() == {"a"}
    leases.expire(30.0)
    assert leases.workers() == set()


def test_a_worker_whose_word_for_anybody_ran_out_does_not_live_though_it_spoke_of_somebody_else_since() -> None:
    leases = PeerLeases()
    leases.renew("a", [MAYA], until=30.0)
    leases.renew("a", [TOMAS], until=39.0)
    assert leases.expire(31.0) == {MAYA}
    assert leases.workers() == set()
    assert leases.holds(TOMAS)
    assert leases.expire(39.0) == {TOMAS}


def test_a_worker_that_is_heard_again_lives() -> None:
    leases = PeerLeases()
    leases.renew("a", [MAYA], until=30.0)
    leases.renew("a", [TOMAS], until=39.0)
    leases.expire(31.0)
    leases.renew("a", [MAYA, TOMAS], until=62.0)
    assert leases.workers() == {"a"}
    assert leases.expire(40.0) == set()


@given(WORDS)
def test_leases_agree_with_a_plain_table(words: list[tuple[str, UserId, int, int]]) -> None:
    leases, table, now = PeerLeases(), dict[tuple[str, UserId], float](), 0.0
    for worker, user_id, lease_s, passes_s in words:
        now += passes_s
        leases.expire(now)
        table = {key: until for key, until in table.items() if until > now}
        if lease_s:
            leases.renew(worker, [user_id], until=now + lease_s)
            table[worker, user_id] = now + lease_s
        else:
            leases.end(worker, [user_id])
            table.pop((worker, user_id), None)
        for someone in (MAYA, TOMAS):
            assert leases.holds(someone) == any(held == someone for _, held in table)
        assert len(leases) == len({held for _, held in table})
