-- What was searched for, what was shown, and which results were opened.

-- One row per answered page, narrow, as whole months of them are read at once; the rest is in search_details.
-- user_id is no foreign key: it would lock a row of users for each search, and a search outlives nobody by more than a month.
-- is_counted: neither a further page of a search nor an operator's trial.
-- skips: stages left out, each with its reason ("tier5 high_load").
-- tier_ms: what tiers 1 to 5 took, NULL for one that was not tried. stage_ms: in the order of stages.
-- text_hash: to count by, which takes a quarter of the time that counting by texts does.
-- taught_name: the name of a place, in normal form, that clicks may teach the meaning of.
CREATE TABLE search_queries (
    id            text COLLATE "C" PRIMARY KEY,
    user_id       text COLLATE "C" NOT NULL,
    at            timestamptz      NOT NULL,
    used_ms       real             NOT NULL,
    limit_ms      real             NOT NULL,
    total         integer          NOT NULL,
    confidence    real             NOT NULL,
    tier          smallint,
    is_counted    boolean          NOT NULL,
    is_degraded   boolean          NOT NULL,
    cache         text             NOT NULL,
    place_outcome text             NOT NULL,
    text          text COLLATE "C" NOT NULL,
    text_hash     bigint           NOT NULL GENERATED ALWAYS AS (hashtextextended(text, 0)) STORED,
    city          text COLLATE "C",
    place_text    text,
    region_id     text COLLATE "C",
    taught_name   text COLLATE "C",
    skips         text[]           NOT NULL,
    tier_ms       real[]           NOT NULL,
    stages        text[]           NOT NULL,
    stage_ms      real[]           NOT NULL,
    CONSTRAINT search_queries_cache CHECK (cache IN ('hit', 'miss', 'bypass')),
    CONSTRAINT search_queries_outcome CHECK (place_outcome IN ('not_asked', 'resolved', 'ambiguous', 'unknown')),
    CONSTRAINT search_queries_tier CHECK (tier BETWEEN 1 AND 5)
);
CREATE INDEX search_queries_at ON search_queries (at);
-- Read alone, without the table, for what has most rows to look at.
CREATE INDEX search_queries_counted ON search_queries (at) INCLUDE (used_ms, total, is_degraded, cache, user_id)
    WHERE is_counted;
CREATE INDEX search_queries_texts ON search_queries (at) INCLUDE (text_hash, total) WHERE is_counted;
CREATE INDEX search_queries_text_hash ON search_queries (text_hash, at) INCLUDE (user_id) WHERE is_counted;
CREATE INDEX search_queries_empty ON search_queries (at) INCLUDE (text_hash, user_id) WHERE is_counted AND total = 0;
CREATE INDEX search_queries_skips ON search_queries (at) INCLUDE (skips) WHERE is_counted AND skips <> '{}';
CREATE INDEX search_queries_places ON search_queries (at) INCLUDE (place_outcome, tier, confidence, tier_ms)
    WHERE is_counted AND place_outcome <> 'not_asked';
-- Walked for a page of them.
CREATE INDEX search_queries_degraded_pages ON search_queries (id) WHERE is_degraded;
CREATE INDEX search_queries_empty_pages ON search_queries (id) WHERE total = 0;

-- How it went in full, kept for some days only: sentences as understood, and what models were asked, say most about people.
-- position: of the first of those shown, among all.
CREATE TABLE search_details (
    query_id    text COLLATE "C" PRIMARY KEY REFERENCES search_queries (id) ON DELETE CASCADE,
    at          timestamptz      NOT NULL,
    position    integer          NOT NULL,
    shown       text[]           NOT NULL,
    parsed      json             NOT NULL,
    location    json             NOT NULL,
    budget      json             NOT NULL,
    diagnostics json             NOT NULL
);
CREATE INDEX search_details_at ON search_details (at);

-- The first click on each result by whoever was shown it, with what is counted by of its search. Neither services nor users are foreign keys, as with the searches.
CREATE TABLE search_clicks (
    query_id    text COLLATE "C" NOT NULL REFERENCES search_queries (id) ON DELETE CASCADE,
    service_id  text COLLATE "C" NOT NULL,
    user_id     text COLLATE "C" NOT NULL,
    position    integer          NOT NULL,
    at          timestamptz      NOT NULL,
    searched_at timestamptz      NOT NULL,
    text_hash   bigint           NOT NULL,
    is_counted  boolean          NOT NULL,
    taught_name text COLLATE "C",
    PRIMARY KEY (query_id, service_id)
);
CREATE INDEX search_clicks_searched_at ON search_clicks (searched_at) INCLUDE (query_id, position, text_hash) WHERE is_counted;
CREATE INDEX search_clicks_taught ON search_clicks (at) INCLUDE (taught_name, user_id, service_id)
    WHERE taught_name IS NOT NULL;

-- Which worker learns names of places from clicks, and until when.
CREATE TABLE alias_learner (
    is_only boolean     PRIMARY KEY DEFAULT true,
    worker  text        NOT NULL,
    until   timestamptz NOT NULL,
    CONSTRAINT alias_learner_is_only CHECK (is_only)
);
