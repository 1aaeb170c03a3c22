-- Users, their sessions, and what instructors offer.
-- Identifiers are ULIDs; COLLATE "C" compares them bytewise, which is both their order and the cheapest comparison.

CREATE TABLE users (
    id            text COLLATE "C" PRIMARY KEY,
    email         text             NOT NULL,
    display_name  text COLLATE "C" NOT NULL,
    role          text             NOT NULL,
    is_active     boolean          NOT NULL,
    created_at    timestamptz      NOT NULL,
    password_hash text             NOT NULL,
    CONSTRAINT users_role CHECK (role IN ('student', 'instructor', 'admin'))
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_instructors ON users (display_name, id) WHERE role = 'instructor' AND is_active;

CREATE TABLE sessions (
    id         text COLLATE "C" PRIMARY KEY,
    user_id    text COLLATE "C" NOT NULL REFERENCES users (id),
    token_hash bytea            NOT NULL,
    created_at timestamptz      NOT NULL,
    expires_at timestamptz      NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT sessions_token_hash_key UNIQUE (token_hash)
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE services (
    id               text COLLATE "C" PRIMARY KEY,
    instructor_id    text COLLATE "C" NOT NULL REFERENCES users (id),
    title            text COLLATE "C" NOT NULL,
    description      text             NOT NULL,
    price_cents      integer          NOT NULL,
    currency         text             NOT NULL,
    duration_minutes integer          NOT NULL
);
CREATE INDEX services_instructor ON services (instructor_id, title, id);
