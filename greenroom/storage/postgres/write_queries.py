"""The statements of a write transaction: each takes all the rows there are for it, as arrays."""

from __future__ import annotations

from typing import Final

OPEN_CONVERSATIONS: Final = """
-- open_conversations: insert those whose pair has none, with both participants; returns the ids inserted.
-- Inserted in the order of pairs, so that two transactions opening the same ones wait for each other in one direction.
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::text[], %(student_ids)s::text[], %(instructor_ids)s::text[],
                         %(last_seqs)s::bigint[], %(created_ats)s::timestamptz[], %(last_message_ats)s::timestamptz[])
             WITH ORDINALITY AS w (id, student_id, instructor_id, last_seq, created_at, last_message_at, place)),
opened AS (
    INSERT INTO conversations (id, student_id, instructor_id, last_seq, created_at, last_message_at)
    SELECT id, student_id, instructor_id, last_seq, created_at, last_message_at FROM wanted
     ORDER BY LEAST(student_id COLLATE "C", instructor_id COLLATE "C"),
              GREATEST(student_id COLLATE "C", instructor_id COLLATE "C"), place
        ON CONFLICT (LEAST(student_id, instructor_id), GREATEST(student_id, instructor_id)) DO NOTHING
    RETURNING id, student_id, instructor_id),
joined AS (
    INSERT INTO participants (conversation_id, user_id, peer_id)
    SELECT id, student_id, instructor_id FROM opened UNION ALL SELECT id, instructor_id, student_id FROM opened)
SELECT id FROM opened
"""

CONVERSATIONS_OF_PAIRS: Final = """
-- conversations_of_pairs: the pair's users in ascending order, and its conversation.
SELECT w.first_id, w.second_id, c.id
  FROM unnest(%(first_ids)s::text[], %(second_ids)s::text[]) AS w (first_id, second_id)
  JOIN conversations c ON LEAST(c.student_id, c.instructor_id) = w.first_id
                      AND GREATEST(c.student_id, c.instructor_id) = w.second_id
"""

LOCK_CONVERSATIONS: Final = """
-- lock_conversations: in id order. Only against other writers: a foreign key may still point here.
SELECT id FROM conversations WHERE id = ANY(%(ids)s::text[]) ORDER BY id FOR NO KEY UPDATE
"""

LOCKED_CONVERSATIONS: Final = """
-- locked_conversations: with both participants.
SELECT c.id, c.student_id, c.instructor_id, c.last_seq, c.created_at, c.last_message_at,
       s.conversation_id, s.user_id, s.peer_id, s.state, s.received_ordinal, s.read_ordinal,
       s.read_seq, s.delivered_seq,
       i.conversation_id, i.user_id, i.peer_id, i.state, i.received_ordinal, i.read_ordinal,
       i.read_seq, i.delivered_seq
  FROM conversations c
  JOIN participants s ON s.conversation_id = c.id AND s.user_id = c.student_id
  JOIN participants i ON i.conversation_id = c.id AND i.user_id = c.instructor_id
 WHERE c.id = ANY(%(ids)s::text[])
"""

SENT_MESSAGES: Final = """
-- sent_messages: those already stored under these client ids. Each is looked for by itself, as a join might begin with all
-- messages, and did where they had been counted while there were none. Bounds on both sides mean the same as an equality, but
-- leave an order to ask for, and only messages_client_key has it.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(conversation_ids)s::text[], %(sender_ids)s::text[], %(client_ids)s::text[])
       AS k (conversation_id, sender_id, client_id)
 CROSS JOIN LATERAL (
       SELECT * FROM shown_messages
        WHERE conversation_id = k.conversation_id AND sender_id = k.sender_id
          AND client_id >= k.client_id AND client_id <= k.client_id
        ORDER BY client_id LIMIT 1) m
"""

SYSTEM_MESSAGES: Final = """
-- system_messages: those already stored for these events.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(conversation_ids)s::text[], %(client_ids)s::text[]) AS k (conversation_id, client_id)
  JOIN shown_messages m ON m.conversation_id = k.conversation_id AND m.client_id = k.client_id AND m.kind = 'system'
"""

ORDINALS_AT: Final = """
-- ordinals_at: per query, the highest ordinal at or below a seq among what the reader got. Walks messages_ordinals
-- backwards. A stranger gets no row.
SELECT q.conversation_id, q.reader_id, q.seq, COALESCE(m.sender_ordinal, 0)
  FROM unnest(%(conversation_ids)s::text[], %(reader_ids)s::text[], %(seqs)s::bigint[]) AS q (conversation_id, reader_id, seq)
  JOIN participants p ON p.conversation_id = q.conversation_id AND p.user_id = q.reader_id
  LEFT JOIN LATERAL (
       SELECT sender_ordinal FROM messages
        WHERE conversation_id = q.conversation_id AND sender_id = p.peer_id AND seq <= q.seq AND kind = 'user'
        ORDER BY seq DESC LIMIT 1) m ON true
"""

LAST_MESSAGES: Final = """
-- last_messages: the newest of each conversation.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(ids)s::text[]) AS c (id)
 CROSS JOIN LATERAL (
       SELECT * FROM shown_messages WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) m
"""

MESSAGES: Final = """
-- messages: by id, of some conversations.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM shown_messages m
 WHERE m.id = ANY(%(message_ids)s::text[]) AND m.conversation_id = ANY(%(conversation_ids)s::text[])
"""

USERS: Final = """
-- users: by id.
SELECT id, email, display_name, role, is_active, created_at FROM users WHERE id = ANY(%(ids)s::text[])
"""

APPEND_MESSAGES: Final = """
-- append_messages: with the sequences they carry.
INSERT INTO messages (id, conversation_id, seq, version, kind, sender_id, sender_ordinal, content, client_id,
                      booking_id, created_at, edited_at, deleted_at)
SELECT * FROM unnest(%(ids)s::text[], %(conversation_ids)s::text[], %(seqs)s::bigint[], %(versions)s::bigint[],
                     %(kinds)s::text[], %(sender_ids)s::text[], %(sender_ordinals)s::bigint[], %(contents)s::text[],
                     %(client_ids)s::text[], %(booking_ids)s::text[], %(created_ats)s::timestamptz[],
                     %(edited_ats)s::timestamptz[], %(deleted_ats)s::timestamptz[])
"""

SAVE_MESSAGES: Final = """
-- save_messages: what they say now. Those that are deleted lose what they said before and what was felt about it.
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::text[], %(versions)s::bigint[], %(contents)s::text[],
                         %(edited_ats)s::timestamptz[], %(deleted_ats)s::timestamptz[])
             AS w (id, version, content, edited_at, deleted_at)),
unsaid AS (
    DELETE FROM message_edits e USING wanted w WHERE e.message_id = w.id AND w.deleted_at IS NOT NULL),
unfelt AS (
    DELETE FROM message_reactions r USING wanted w WHERE r.message_id = w.id AND w.deleted_at IS NOT NULL)
UPDATE messages m
   SET version = w.version, content = w.content, edited_at = w.edited_at, deleted_at = w.deleted_at
  FROM wanted w
 WHERE m.id = w.id
"""

APPEND_EDITS: Final = """
-- append_edits: former versions.
INSERT INTO message_edits (message_id, version, content, written_at)
SELECT * FROM unnest(%(message_ids)s::text[], %(versions)s::bigint[], %(contents)s::text[], %(written_ats)s::timestamptz[])
"""

ADD_REACTIONS: Final = """
-- add_reactions: those that are not there.
INSERT INTO message_reactions (message_id, emoji, user_id)
SELECT * FROM unnest(%(message_ids)s::text[], %(emojis)s::text[], %(user_ids)s::text[])
    ON CONFLICT (message_id, emoji, user_id) DO NOTHING
"""

REMOVE_REACTIONS: Final = """
-- remove_reactions: those that are there.
DELETE FROM message_reactions r
 USING unnest(%(message_ids)s::text[], %(emojis)s::text[], %(user_ids)s::text[]) AS w (message_id, emoji, user_id)
 WHERE r.message_id = w.message_id AND r.emoji = w.emoji AND r.user_id = w.user_id
"""

SAVE_CONVERSATIONS: Final = """
-- save_conversations: where each has come to.
UPDATE conversations c SET last_seq = w.last_seq, last_message_at = w.last_message_at
  FROM unnest(%(ids)s::text[], %(last_seqs)s::bigint[], %(last_message_ats)s::timestamptz[])
       AS w (id, last_seq, last_message_at)
 WHERE c.id = w.id
"""

SAVE_PARTICIPANTS: Final = """
-- save_participants: state and marks.
UPDATE participants p
   SET state = w.state, received_ordinal = w.received_ordinal, read_ordinal = w.read_ordinal,
       read_seq = w.read_seq, delivered_seq = w.delivered_seq
  FROM unnest(%(conversation_ids)s::text[], %(user_ids)s::text[], %(states)s::text[], %(received_ordinals)s::bigint[],
              %(read_ordinals)s::bigint[], %(read_seqs)s::bigint[], %(delivered_seqs)s::bigint[])
       AS w (conversation_id, user_id, state, received_ordinal, read_ordinal, read_seq, delivered_seq)
 WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
"""

LOCK_STREAMS: Final = """
-- lock_streams: of some users and of some conversations' participants, in user id order.
SELECT s.user_id FROM user_streams s
 WHERE s.user_id = ANY(%(user_ids)s::text[] || ARRAY(
       SELECT p.user_id FROM participants p WHERE p.conversation_id = ANY(%(conversation_ids)s::text[])))
 ORDER BY s.user_id FOR NO KEY UPDATE
"""

STREAM_POSITIONS: Final = """
-- stream_positions: newest sequence and total unread of those streams.
SELECT s.user_id, s.last_seq,
       (SELECT COALESCE(sum(p.received_ordinal - p.read_ordinal), 0)::bigint FROM participants p
         WHERE p.user_id = s.user_id AND p.received_ordinal > p.read_ordinal AND p.state <> 'trashed')
  FROM user_streams s
 WHERE s.user_id = ANY(%(user_ids)s::text[] || ARRAY(
       SELECT p.user_id FROM participants p WHERE p.conversation_id = ANY(%(conversation_ids)s::text[])))
"""

APPEND_EVENTS: Final = """
-- append_events: and raise each stream to its newest event.
WITH appended AS (
    INSERT INTO user_events (user_id, seq, at, name, data)
    SELECT user_id, seq, at, name, data::json
      FROM unnest(%(user_ids)s::text[], %(seqs)s::bigint[], %(ats)s::timestamptz[], %(names)s::text[], %(datas)s::text[])
           AS e (user_id, seq, at, name, data)
    RETURNING user_id, seq)
UPDATE user_streams s SET last_seq = e.last_seq
  FROM (SELECT user_id, max(seq) AS last_seq FROM appended GROUP BY user_id) e
 WHERE s.user_id = e.user_id
"""
