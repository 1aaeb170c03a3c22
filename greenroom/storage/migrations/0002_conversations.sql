-- Conversations, both participants' sides of them, and messages.

CREATE TABLE conversations (
    id              text COLLATE "C" PRIMARY KEY,
    student_id      text COLLATE "C" NOT NULL REFERENCES users (id),
    instructor_id   text COLLATE "C" NOT NULL REFERENCES users (id),
    last_seq        bigint           NOT NULL,
    created_at      timestamptz      NOT NULL,
    last_message_at timestamptz      NOT NULL,
    CONSTRAINT conversations_two_users CHECK (student_id <> instructor_id),
    CONSTRAINT conversations_last_seq CHECK (last_seq >= 0)
);
-- One conversation per pair, whichever way round: what decides when two creates race.
CREATE UNIQUE INDEX conversations_pair_key
    ON conversations (LEAST(student_id, instructor_id), GREATEST(student_id, instructor_id));
-- Each walks one user's conversations newest first, so that a page costs its own length.
CREATE INDEX conversations_of_student ON conversations (student_id, last_message_at DESC, id DESC);
CREATE INDEX conversations_of_instructor ON conversations (instructor_id, last_message_at DESC, id DESC);
CREATE INDEX conversations_last_message_at ON conversations (last_message_at);

-- Written only under the lock of the conversation's row.
CREATE TABLE participants (
    conversation_id  text COLLATE "C" NOT NULL REFERENCES conversations (id),
    user_id          text COLLATE "C" NOT NULL,
    peer_id          text COLLATE "C" NOT NULL,
    state            text             NOT NULL DEFAULT 'active',
    received_ordinal bigint           NOT NULL DEFAULT 0,
    read_ordinal     bigint           NOT NULL DEFAULT 0,
    read_seq         bigint           NOT NULL DEFAULT 0,
    delivered_seq    bigint           NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT participants_state CHECK (state IN ('active', 'archived', 'trashed')),
    CONSTRAINT participants_ordinals_ordered CHECK (0 <= read_ordinal AND read_ordinal <= received_ordinal),
    CONSTRAINT participants_marks_ordered CHECK (0 <= read_seq AND read_seq <= delivered_seq)
);
-- Only what counts towards a user's total, so that the total costs the unread conversations and not all of them.
CREATE INDEX participants_unread ON participants (user_id)
    WHERE received_ordinal > read_ordinal AND state <> 'trashed';

-- The foreign key is to the participant: nobody else can have sent a message. A system message has no sender; its
-- conversation exists, as the conversation's row is locked by whoever writes messages.
CREATE TABLE messages (
    conversation_id text COLLATE "C" NOT NULL,
    seq             bigint           NOT NULL,
    id              text COLLATE "C" NOT NULL,
    version         integer          NOT NULL,
    kind            text             NOT NULL,
    sender_id       text COLLATE "C",
    sender_ordinal  bigint           NOT NULL,
    content         text             NOT NULL,
    client_id       text,
    booking_id      text COLLATE "C",
    created_at      timestamptz      NOT NULL,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    PRIMARY KEY (conversation_id, seq),
    CONSTRAINT messages_id_key UNIQUE (id),
    CONSTRAINT messages_sender_fkey
        FOREIGN KEY (conversation_id, sender_id) REFERENCES participants (conversation_id, user_id),
    CONSTRAINT messages_seq CHECK (seq > 0 AND version > 0),
    CONSTRAINT messages_content_length
        CHECK (deleted_at IS NOT NULL OR char_length(content) BETWEEN 1 AND 5000),
    CONSTRAINT messages_sender CHECK (
        CASE kind
            WHEN 'user' THEN sender_id IS NOT NULL AND sender_ordinal > 0
            WHEN 'system' THEN sender_id IS NULL AND sender_ordinal = 0
            ELSE false
        END)
);
-- Sending is idempotent by the client's own id.
CREATE UNIQUE INDEX messages_client_key ON messages (conversation_id, sender_id, client_id)
    WHERE client_id IS NOT NULL;
-- How far among one sender's messages a seq reaches.
CREATE INDEX messages_ordinals ON messages (conversation_id, sender_id, seq) INCLUDE (sender_ordinal);
