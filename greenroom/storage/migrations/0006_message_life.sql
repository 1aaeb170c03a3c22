-- What happens to a message after it was sent: what it said before, and what others felt about it.

-- A former wording, kept until the message is deleted; the current one is in messages.
CREATE TABLE message_edits (
    message_id text COLLATE "C" NOT NULL REFERENCES messages (id),
    version    integer          NOT NULL,
    content    text             NOT NULL,
    written_at timestamptz      NOT NULL,
    PRIMARY KEY (message_id, version)
);

-- One row per user and emoji.
CREATE TABLE message_reactions (
    message_id text COLLATE "C" NOT NULL REFERENCES messages (id),
    emoji      text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL REFERENCES users (id),
    PRIMARY KEY (message_id, emoji, user_id)
);

-- Messages as they are shown: with [[emoji, [user_id, ...]], ...] by emoji and user id, NULL without any. Computed for the
-- rows that a query returns and no others.
CREATE VIEW shown_messages AS
SELECT m.*,
       (SELECT jsonb_agg(jsonb_build_array(e.emoji, e.user_ids) ORDER BY e.emoji)
          FROM (SELECT r.emoji, jsonb_agg(r.user_id ORDER BY r.user_id) AS user_ids
                  FROM message_reactions r WHERE r.message_id = m.id GROUP BY r.emoji) e) AS reactions
  FROM messages m;
