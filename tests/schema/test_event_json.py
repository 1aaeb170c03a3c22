"""JSON put together by hand is what the models render."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from greenroom.schema.event_json import conversation_marked_json, message_created_json, message_json
from greenroom.schema.events import ConversationMarked, MessageCreated
from greenroom.schema.ids import ConversationId, MessageId, UserId
from greenroom.schema.records import Message, MessageKind, Reaction
from greenroom.schema.wire import MessageOut, to_json

TALK, ANN, BEN = ConversationId("01HTA1K0000000000000000000"), UserId("01HANN"), UserId("01HBEN")

texts = st.text(max_size=40) | st.sampled_from(['"', "\\", "\n\r\t\b\f\x00\x1f\x7f", "</script>", "𝄞é\u2028"])
moments = st.floats(0, 4e9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
counts = st.integers(0, 10**12)
messages = st.builds(
    Message,
    id=st.just(MessageId("01HMESSAGE0000000000000000")),
    conversation_id=st.just(TALK),
    seq=counts,
    version=counts,
    kind=st.sampled_from(MessageKind),
    sender_id=st.sampled_from([None, ANN, BEN]),
    sender_ordinal=counts,
    content=texts,
    client_id=st.none() | texts,
    booking_id=st.none() | texts,
    created_at=moments,
    edited_at=st.none() | moments,
    deleted_at=st.none() | moments,
    reactions=st.lists(st.builds(Reaction, texts, st.tuples(st.sampled_from([ANN, BEN]))), max_size=2).map(tuple),
)


@given(messages, counts, counts)
def test_a_created_message_reads_as_its_model(message: Message, unread: int, total: int) -> None:
    model = MessageCreated(message=MessageOut.of(message), unread_count=unread, total_unread=total)

    text = message_created_json(message_json(message), unread_count=unread, total_unread=total)

    assert text == to_json(model)


def test_a_mark_reads_as_its_model() -> None:
    model = ConversationMarked(conversation_id=TALK, user_id=ANN, seq=7, unread_count=3, total_unread=12)

    assert conversation_marked_json(TALK, ANN, seq=7, unread_count=3, total_unread=12) == to_json(model)
