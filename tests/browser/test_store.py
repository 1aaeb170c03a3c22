"""The rules by which the page's state changes, called directly: they are one pure function, `store.js`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers
from playwright.sync_api import Browser

from greenroom.schema.bookings import price_of
from tests.browser.people import visitor
from tests.browser.server import ServerProcess

pytestmark = pytest.mark.browser

PRELUDE = """
const { initialState, reduce } = await import("/static/store.js");
const { listed, messagesOf, presenceOf, receiptOf } = await import("/static/selectors.js");
const { timelineOf } = await import("/static/timeline.js");
const { lessonsOf, nextLesson, permitted, unknownOf } = await import("/static/bookings.js");
const { priceOf } = await import("/static/money.js");
const { firstEmoji } = await import("/static/reactions.js");
const me = { id: "ME", display_name: "Maya", role: "student" };
const message = (seq, changes = {}) => ({
  id: `M${seq}`, conversation_id: "C", seq, version: 1, kind: "user", sender_id: "YOU", content: `line ${seq}`,
  client_id: null, booking_id: null, reactions: [], created_at: `2026-03-01T10:${String(seq).padStart(2, "0")}:00.000Z`,
  edited_at: null, deleted_at: null, ...changes,
});
const conversation = (changes = {}) => ({
  id: "C", student_id: "ME", instructor_id: "YOU", state: "active", unread_count: 0, last_message: null, last_seq: 0,
  last_read_seq: 0, other_last_read_seq: 0, upcoming_bookings: [],
  other: { id: "YOU", display_name: "Tomás", role: "instructor", online: false },
  created_at: "2026-03-01T09:00:00.000Z", last_message_at: "2026-03-01T09:00:00.000Z", ...changes,
});
const snapshot = (...conversations) => ({ conversations, total_unread: 0, presence: [], cursor: "v1.e.0" });
const run = (actions, state = initialState) => actions.reduce(reduce, state);
const signedIn = { type: "signed_in", me };
const synced = (...conversations) => ({ type: "synced", snapshot: snapshot(...conversations) });
const selected = (id) => ({ type: "conversation_selected", id });
const page = (items, place = "newest", hasMore = false) =>
  ({ type: "messages_fetched", conversationId: "C", items, hasMore, place });
const event = (name, id, data, now = 0) => ({ type: "event_received", name, id, data, now });
const created = (seq, id = `v1.e.${seq}`, changes = {}) =>
  event("message.created", id, { message: message(seq, changes), unread_count: seq, total_unread: seq });
const updated = (seq, id, changes) =>
  event("message.updated", id, { message: message(seq, changes), unread_count: 0, total_unread: 0 });
const deleted = (seq, id) =>
  event("message.deleted", id, { message: message(seq, { version: 2, content: "", deleted_at: "2026-03-01T11:00:00.000Z" }), unread_count: 0, total_unread: 0 });
const reacted = (seq, id, ...reactions) =>
  event("reaction.changed", id, { conversation_id: "C", message_id: `M${seq}`, emoji: "x", user_id: "x", added: true, reactions });
const booking = (changes = {}) =>
  ({ id: "B", conversation_id: "C", title: "Piano", starts_at: "2026-03-07T10:00:00.000Z",
     ends_at: "2026-03-07T11:00:00.000Z", student_id: "ME", instructor_id: "YOU", status: "booked", version: 1, ...changes });
const live = { type: "connection_changed", connection: { status: "live", attempt: 0 } };
const away = { type: "connection_changed", connection: { status: "waiting", attempt: 1 } };
const noon = new Date("2026-03-01T12:00:00Z");
const rowsOf = (state) => timelineOf(state, "C", noon).filter((row) => row.message);
const opened = [signedIn, synced(conversation()), selected("C"), page([])];
const contents = (state) => messagesOf(state, "C").map((m) => m.content);
"""

Store = Callable[[str], Any]


@pytest.fixture(scope="module")
def store(browser: Browser, server: ServerProcess) -> Iterator[Store]:
    """Runs a script in which the store and some builders are there, and returns what it returns."""
    with visitor(browser, server.url) as someone:
        someone.page.goto(server.url)
        yield lambda script: someone.page.evaluate(f"async () => {{ {PRELUDE} {script} }}")
        assert someone.unexpected() == []


def test_an_event_that_comes_twice_is_applied_once(store: Store) -> None:
    assert store("""
        const once = run([...opened, created(1), created(2)]);
        const again = run([created(1), created(2)], once);
        return again === once;
    """)


def test_replaying_any_stretch_of_the_stream_changes_nothing(store: Store) -> None:
    """What a resume from an older cursor would bring."""
    assert (
        store("""
        const stream = [
          created(1),
          created(2, "v1.e.2", { sender_id: "ME", client_id: "k" }),
          event("conversation.read", "v1.e.3", { conversation_id: "C", user_id: "ME", seq: 1, unread_count: 0, total_unread: 0 }),
          event("message.updated", "v1.e.4", { message: message(1, { version: 2, content: "edited" }), unread_count: 0, total_unread: 0 }),
          event("conversation.read", "v1.e.5", { conversation_id: "C", user_id: "YOU", seq: 2, unread_count: 0, total_unread: 0 }),
          created(3, "v1.e.6"),
          event("message.deleted", "v1.e.7", { message: message(3, { version: 2, content: "", deleted_at: "2026-03-01T11:00:00.000Z" }), unread_count: 0, total_unread: 0 }),
        ];
        const wanted = JSON.stringify(run([...opened, ...stream]));
        const different = [];
        for (let from = 0; from < stream.length; from += 1) {
          for (let to = from; to <= stream.length; to += 1) {
            const replayed = [...stream.slice(0, to), ...stream.slice(from, to), ...stream.slice(to)];
            if (JSON.stringify(run([...opened, ...replayed])) !== wanted) different.push([from, to]);
          }
        }
        return different;
    """)
        == []
    )


def test_messages_stand_by_seq_whatever_came_first(store: Store) -> None:
    assert (
        store("""
        const orders = [[1, 2, 3], [3, 2, 1], [2, 3, 1]];
        return orders.map((order) => contents(run([...opened, ...order.map((seq) => created(seq))])).join());
    """)
        == ["line 1,line 2,line 3"] * 3
    )


def test_an_edit_is_not_undone_by_a_page_that_was_read_before_it(store: Store) -> None:
    assert store("""
        const edited = event("message.updated", "v1.e.3", { message: message(1, { version: 2, content: "edited" }), unread_count: 0, total_unread: 0 });
        return contents(run([signedIn, synced(conversation()), selected("C"), edited, page([message(1), message(2)])]));
    """) == ["edited", "line 2"]


def test_an_edit_of_a_message_older_than_the_page_makes_no_hole(store: Store) -> None:
    assert store("""
        const edited = event("message.updated", "v1.e.3", { message: message(1, { version: 2, content: "edited" }), unread_count: 0, total_unread: 0 });
        return contents(run([signedIn, synced(conversation()), selected("C"), edited, page([message(8), message(9)], "newest", true)]));
    """) == ["line 8", "line 9"]


@pytest.mark.parametrize("first", ["answer", "event"])
def test_a_message_of_ours_is_shown_once_whether_its_answer_or_its_event_is_faster(
    store: Store, first: str
) -> None:
    assert store(f"""
        const stored = message(1, {{ sender_id: "ME", client_id: "k", content: "mine" }});
        const answer = {{ type: "message_acknowledged", conversationId: "C", clientId: "k", message: stored }};
        const event_ = event("message.created", "v1.e.1", {{ message: stored, unread_count: 0, total_unread: 0 }});
        const queued = {{ type: "message_queued", conversationId: "C", clientId: "k", content: "mine", at: stored.created_at }};
        const both = {{ answer: [answer, event_], event: [event_, answer] }}["{first}"];
        const states = [[], both.slice(0, 1), both].map((done) => run([...opened, queued, ...done]));
        const now = new Date("2026-03-01T12:00:00Z");
        return states.map((state) => timelineOf(state, "C", now).filter((row) => row.type !== "day").map((row) => [row.type, row.key]));
    """) == [[["pending", "own:k"]], [["message", "own:k"]], [["message", "own:k"]]]


def test_marks_of_reading_only_move_forward(store: Store) -> None:
    assert store("""
        const read = (id, seq) => event("conversation.read", id, { conversation_id: "C", user_id: "YOU", seq, unread_count: 0, total_unread: 0 });
        const state = run([...opened, created(1, "a", { sender_id: "ME" }), created(2, "b", { sender_id: "ME" }), read("c", 2), read("d", 1)]);
        return [1, 2].map((seq) => receiptOf(state, message(seq)));
    """) == ["read", "read"]


def test_what_is_trashed_ceases_to_count_and_counts_again_when_it_is_taken_back(store: Store) -> None:
    totals = store("""
        const filed = (state, id) => event("conversation.updated", id, { conversation: conversation({ state, unread_count: 2 }) });
        const unread = { type: "synced", snapshot: { ...snapshot(conversation({ unread_count: 2 })), total_unread: 5 } };
        const steps = [filed("trashed", "v1.e.1"), filed("archived", "v1.e.2"), filed("active", "v1.e.3")];
        let state = run([signedIn, unread]);
        return steps.map((step) => (state = reduce(state, step)).totalUnread);
    """)

    assert totals == [3, 5, 5]


def test_the_list_stands_by_newest_activity(store: Store) -> None:
    assert store("""
        const two = [conversation(), conversation({ id: "D", last_message_at: "2026-03-01T09:30:00.000Z" })];
        const before = run([signedIn, synced(...two)]);
        const after = run([created(1)], before);
        return [before, after].map((state) => listed(state).map(({ id }) => id).join());
    """) == ["D,C", "C,D"]


def test_a_conversation_that_only_an_event_speaks_of_is_asked_for_until_the_answer_is_newer(store: Store) -> None:
    assert store("""
        const spoken = run([signedIn, synced(), created(1)]);
        const mentions = spoken.wanted.C;
        const answer = { type: "conversation_fetched", conversation: conversation({ last_seq: 1 }), mentions };
        const settled = run([answer], spoken);
        const spokenAgain = run([created(2), answer], spoken);
        return [mentions !== undefined, "C" in settled.wanted, settled.totalUnread, "C" in spokenAgain.wanted];
    """) == [True, False, 1, True]


def test_a_snapshot_replaces_what_may_be_stale_and_the_open_thread_stays_on_the_screen(store: Store) -> None:
    assert store("""
        const before = run([...opened, created(1), event("typing", "", { conversation_id: "C", user_id: "YOU", is_typing: true })]);
        const after = run([synced(conversation({ last_seq: 4 }))], before);
        const loaded = run([page([message(3), message(4)], "newest", true)], after);
        return [contents(after), after.threads.C.isLoaded, Object.keys(after.typing), contents(loaded)];
    """) == [["line 1"], False, [], ["line 3", "line 4"]]


def test_a_page_of_the_list_does_not_overwrite_what_the_stream_keeps(store: Store) -> None:
    assert store("""
        const items = [conversation(), conversation({ id: "D" })];
        const state = run([...opened, created(1), { type: "conversations_listed", filter: "active", items, nextCursor: null }]);
        return [state.conversations.C.last_seq, "D" in state.conversations];
    """) == [1, True]


def test_a_typing_indicator_goes_out_by_itself_or_with_the_message(store: Store) -> None:
    assert store("""
        const typing = event("typing", "v1.e.0", { conversation_id: "C", user_id: "YOU", is_typing: true, expires_at: "2020-01-01T00:00:00Z" }, 1000);
        const lit = run([...opened, typing]);
        const passed = (now) => run([{ type: "time_passed", now }], lit);
        return [lit, passed(6999), passed(7001), run([created(1)], lit)].map((state) => "C" in state.typing);
    """) == [True, True, False, False]


def test_days_and_groups_are_set_apart(store: Store) -> None:
    assert store("""
        const at = (seq, created_at, changes) => message(seq, { created_at: new Date(created_at).toISOString(), ...changes });
        const items = [
          at(1, "2026-03-01T10:00:00"), at(2, "2026-03-01T10:01:00"), at(3, "2026-03-01T10:02:00", { kind: "system", sender_id: null }),
          at(4, "2026-03-01T10:03:00"), at(5, "2026-03-02T09:00:00"), at(6, "2026-03-02T09:10:00"),
        ];
        const rows = timelineOf(run([signedIn, synced(conversation()), selected("C"), page(items)]), "C", new Date("2026-03-02T12:00:00"));
        return rows.map((row) => row.label ?? (row.type === "message" ? `${row.startsGroup ? "(" : ""}${row.message.seq}${row.endsGroup ? ")" : ""}` : row.type));
    """) == ["Yesterday", "(1", "2)", "system", "(4)", "Today", "(5)", "(6)"]


def test_a_thread_keeps_a_bounded_number_of_messages_and_can_load_the_rest_again(store: Store) -> None:
    assert store("""
        let state = run(opened);
        for (let seq = 1; seq <= 1001; seq += 1) state = reduce(state, created(seq));
        const { messages, hasMore } = state.threads.C;
        return [messages.length, messages.at(-1).seq, hasMore, state.recentIds.length];
    """) == [500, 1001, True, 512]


def test_what_arrives_after_the_end_of_a_session_is_dropped(store: Store) -> None:
    assert store("""
        const over = run([...opened, { type: "signed_out" }]);
        return run([created(1), synced(conversation())], over) === over;
    """)


def test_the_list_follows_edits_and_deletions_of_the_last_message_only(store: Store) -> None:
    assert store("""
        const last = (...events) => run([...opened, created(1), created(2), ...events]).conversations.C.last_message;
        return [
          last(updated(1, "a", { version: 2, content: "older" })).content,
          last(updated(2, "a", { version: 2, content: "edited" })).content,
          last(deleted(2, "a")).deleted_at !== null,
        ];
    """) == ["line 2", "edited", True]


def test_a_reaction_of_ours_is_shown_at_once_and_falls_back_if_it_is_refused(store: Store) -> None:
    assert store("""
        const asked = run([...opened, created(1), { type: "reaction_asked", messageId: "M1", emoji: "👍", isAdded: true }]);
        const settle = (isDone) => ({ type: "reaction_settled", conversationId: "C", messageId: "M1", emoji: "👍", isAdded: true, isDone });
        const theirs = reacted(1, "r", { emoji: "👍", user_ids: ["YOU"] });
        const states = [asked, run([settle(true)], asked), run([settle(false)], asked), run([theirs], asked), run([theirs, settle(false)], asked)];
        return states.map((state) => rowsOf(state)[0].reactions.map(({ count, isMine, names }) => [count, isMine, names].join()));
    """) == [["1,true,You"], ["1,true,You"], [], ["2,true,You and Tomás"], ["1,false,Tomás"]]


def test_an_edit_is_warned_of_a_change_below_it_and_ends_with_a_deletion(store: Store) -> None:
    assert store("""
        const editing = run([...opened, created(1, "a", { sender_id: "ME" }), { type: "edit_begun", message: message(1) }]);
        const changed = run([updated(1, "b", { version: 2, content: "other words" })], editing).editing;
        const saving = run([{ type: "edit_saving", messageId: "M1" }, updated(1, "b", { version: 2 })], editing).editing;
        return [changed.version, changed.problem.includes("other words"), saving.problem, run([deleted(1, "b")], editing).editing];
    """) == [2, True, None, None]


def test_an_answer_to_an_edit_that_comes_after_a_newer_one_changes_nothing(store: Store) -> None:
    assert store("""
        const newer = run([...opened, created(1), updated(1, "b", { version: 3, content: "third" })]);
        return contents(run([{ type: "message_changed", message: message(1, { version: 2, content: "second" }) }], newer));
    """) == ["third"]


def test_the_moment_of_a_deletion_is_the_servers_once_it_is_told(store: Store) -> None:
    assert store("""
        const removed = run([...opened, created(1), { type: "message_removed", message: message(1), at: "2020-01-01T00:00:00.000Z" }]);
        const told = run([deleted(1, "b")], removed);
        return [removed, told].map((state) => state.threads.C.messages[0].deleted_at.slice(0, 4));
    """) == ["2020", "2026"]


def test_nobody_is_online_or_types_unless_events_arrive(store: Store) -> None:
    assert store("""
        const { isOnline, isTyping } = await import("/static/selectors.js");
        const there = event("presence", "", { user_id: "YOU", online: true, last_active_at: null });
        const types = event("typing", "", { conversation_id: "C", user_id: "YOU", is_typing: true });
        const listening = run([...opened, live, there, types]);
        const lost = run([away], listening);
        return [listening, lost, run([live], lost)].map((state) => [isOnline(state, { id: "YOU", online: true }), isTyping(state, "C")]);
    """) == [[True, True], [False, False], [False, False]]


def test_a_booking_is_shown_with_its_messages_and_ahead_in_its_latest_version(store: Store) -> None:
    assert store("""
        const about = created(1, "a", { booking_id: "B" });
        const known = run([signedIn, synced(conversation({ upcoming_bookings: [booking()] })), selected("C"), page([]), about]);
        const moved = run([
          event("booking.rescheduled", "b", {
            booking: booking({ starts_at: "2026-03-08T10:00:00.000Z", ends_at: "2026-03-08T11:00:00.000Z", version: 2 }),
          }),
          { type: "conversation_fetched", conversation: conversation({ upcoming_bookings: [booking()], last_seq: 1 }) },
        ], known);
        const off = run([event("booking.cancelled", "c", { booking: booking({ status: "cancelled", version: 2 }) })], known);
        const line = (state) => { const { title, when, status } = rowsOf(state)[0].booking; return `${title} ${/\\d+/.exec(when)[0]} ${status}`; };
        const next = (state) => nextLesson(state, state.conversations.C, noon)?.title ?? null;
        return [known, moved, off].map((state) => [line(state), next(state)]);
    """) == [["Piano 7 booked", "Piano"], ["Piano 8 booked", "Piano"], ["Piano 7 cancelled", None]]


def test_a_booking_nobody_told_of_is_named_without_inventing_anything(store: Store) -> None:
    assert store("""
        const state = run([signedIn, synced(conversation({ upcoming_bookings: [{ id: "Z" }] })), selected("C"), page([]), created(1, "a", { booking_id: "B" })]);
        const next = nextLesson(state, state.conversations.C, noon);
        return [rowsOf(state)[0].booking, next];
    """) == [{"id": "B", "title": "About a booking", "when": None, "status": None}, None]


def test_after_a_gap_a_lesson_is_not_announced_before_it_was_told_again(store: Store) -> None:
    """It may have been called off meanwhile."""
    assert store("""
        const known = run([signedIn, synced(conversation({ upcoming_bookings: [booking()] })), selected("C"),
          page([message(1, { booking_id: "B" })])]);
        const gap = run([synced(conversation())], known);
        const told = run([{ type: "booking_told", booking: booking() }], gap);
        const next = (state) => nextLesson(state, state.conversations.C, noon)?.title ?? null;
        return [known, gap, told].map((state) => [next(state), unknownOf(state, messagesOf(state, "C")), rowsOf(state)[0].booking.title]);
    """) == [["Piano", [], "Piano"], [None, ["B"], "Piano"], ["Piano", [], "Piano"]]


def test_a_list_of_lessons_ends_where_it_was_read_to_and_follows_what_happens(store: Store) -> None:
    assert store("""
        const on = (day, changes = {}) => booking({ id: `B${day}`, starts_at: `2026-03-0${day}T10:00:00.000Z`, ends_at: `2026-03-0${day}T11:00:00.000Z`, ...changes });
        const told = (items, nextCursor, after = null) => ({ type: "lessons_listed", tense: "upcoming", after, items, nextCursor });
        const ids = (state, tense = "upcoming") => lessonsOf(state, tense, noon).map(({ id }) => id).join(" ");
        const first = run([signedIn, synced(conversation({ upcoming_bookings: [on(2), on(6)] })), told([on(2), on(3)], "x")]);
        const off = run([event("booking.cancelled", "a", { booking: on(2, { status: "cancelled", version: 2 }) })], first);
        const all = run([told([on(4), on(6)], null, "x")], off);
        const late = run([synced(conversation()), told([on(7)], null, "x")], first);
        return [ids(first), ids(off), ids(all), ids(all, "past"), ids(late), late.lessons.upcoming.isLoaded, Object.keys(late.wanted)];
    """) == ["B2 B3", "B3", "B3 B4 B6", "B2", "B2 B3 B6", False, []]


def test_only_what_the_server_permits_is_offered(store: Store) -> None:
    assert store("""
        const before = noon, during = new Date("2026-03-07T10:30:00Z");
        const offered = (who, one, now) => Object.entries(permitted({ id: who }, one, now)).filter(([, may]) => may).map(([name]) => name).join();
        return [offered("ME", booking(), before), offered("YOU", booking(), before), offered("ME", booking(), during),
          offered("YOU", booking(), during), offered("YOU", booking({ status: "completed" }), during)];
    """) == ["move,cancel", "move,cancel", "", "complete", ""]


@given(cents=integers(0, 10_000_000), per=integers(15, 480), minutes=integers(15, 480))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_lesson_costs_on_the_page_what_the_server_will_say(
    store: Store, cents: int, per: int, minutes: int
) -> None:
    shown = store(f"return priceOf({{ price_cents: {cents}, duration_minutes: {per} }}, {minutes});")
    length, unit = timedelta(minutes=minutes), timedelta(minutes=per)
    assert shown == price_of(length, price_cents=cents, per=unit)


def test_who_was_online_when_the_connection_was_lost_is_unknown_until_told(store: Store) -> None:
    assert store("""
        const there = event("presence", null, { user_id: "YOU", online: true, last_active_at: null });
        const known = run([signedIn, synced(conversation()), live, there]);
        const states = [known, run([away], known), run([away, live], known), run([away, live, away], known)];
        return states.map((state) => presenceOf(state, { id: "YOU" }));
    """) == ["online", "unknown", "offline", "unknown"]


def test_the_first_emoji_of_what_was_typed_is_taken_whole(store: Store) -> None:
    assert store("""
        return ["👍", "👩🏽‍🚀x", " 🇩🇪🇫🇷", "1️⃣", "x👍", "", "12"].map(firstEmoji);
    """) == ["👍", "👩🏽‍🚀", "🇩🇪", "1️⃣", None, None, None]
