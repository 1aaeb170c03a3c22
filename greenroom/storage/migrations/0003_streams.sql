-- Each user's stream of durable events.

-- The row lock is what makes a stream's sequence dense and its order that of commits.
-- Half-empty pages let the next version of a hot row stay on its page.
CREATE TABLE user_streams (
    user_id   text COLLATE "C" PRIMARY KEY REFERENCES users (id),
    last_seq  bigint NOT NULL DEFAULT 0,
    floor_seq bigint NOT NULL DEFAULT 0,
    CONSTRAINT user_streams_marks_ordered CHECK (0 <= floor_seq AND floor_seq <= last_seq)
) WITH (fillfactor = 50);

-- Weekly partitions are made and dropped by upkeep; events of a week that has none fall into the default one.
-- The type is json and not jsonb, as it keeps the text exactly as it was sent.
CREATE TABLE user_events (
    user_id text COLLATE "C" NOT NULL,
    seq     bigint           NOT NULL,
    at      timestamptz      NOT NULL,
    name    text             NOT NULL,
    data    json             NOT NULL,
    PRIMARY KEY (user_id, seq, at),
    CONSTRAINT user_events_seq CHECK (seq > 0)
) PARTITION BY RANGE (at);
CREATE TABLE user_events_default PARTITION OF user_events DEFAULT;

-- The name of this database's history. A restore that may have lost commits must put another name here.
CREATE TABLE stream_epoch (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    epoch   text    NOT NULL CHECK (epoch ~ '^[A-Za-z0-9]{1,16}$')
);
INSERT INTO stream_epoch (epoch) VALUES (left(replace(gen_random_uuid()::text, '-', ''), 12));
