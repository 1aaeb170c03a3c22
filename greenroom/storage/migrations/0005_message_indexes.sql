-- One index for each way to look up a sender's messages, and only one that fits it.
-- A client id was looked for through messages_ordinals as long as the table had no statistics, where the two indexes seem to
-- cost the same: that walks all a sender's messages of a conversation, on every send. With a predicate that only the
-- question for ordinals implies, the planner has no choice. System messages have no sender, so nothing is left out.

DROP INDEX messages_ordinals;
CREATE INDEX messages_ordinals ON messages (conversation_id, sender_id, seq) INCLUDE (sender_ordinal)
    WHERE kind = 'user';
