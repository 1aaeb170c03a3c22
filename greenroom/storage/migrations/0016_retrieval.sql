-- What services are found by: the facts that filters ask for, the words of their texts, and what these mean to an embedding model.
-- unaccent lets "São" be found by "sao"; pg_trgm finds words in spite of typing errors; vector compares embeddings.

CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TEXT SEARCH CONFIGURATION lessons (COPY = english);
ALTER TEXT SEARCH CONFIGURATION lessons ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;

-- One row per service, narrow, as the filters of a search walk all of them. Triggers below keep it in the transaction that changes
-- what it is made of, so that no filter is ever asked of old facts; a search never looks at those who are not listed.
-- levels: one bit per level, 1 for beginner, 2 for intermediate, 4 for advanced; 0 for whatever level.
-- reach: where lessons are given. "=" and the id of a region, "<" and the id of each that it lies in, "@" and the home city. So
-- to serve a region, one that it lies in, or one that lies in it, is to have one of a few of these.
-- sketches: at the place of a model in search_models, the signs of its embedding: a coarse look at all services costs little.
CREATE TABLE search_documents (
    doc              integer          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id       text COLLATE "C" NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    instructor_id    text COLLATE "C" NOT NULL,
    category         text COLLATE "C",
    price_cents      integer          NOT NULL,
    duration_minutes integer          NOT NULL,
    currency         text             NOT NULL,
    age_min          smallint,
    age_max          smallint,
    levels           smallint         NOT NULL,
    is_online        boolean          NOT NULL,
    is_in_person     boolean          NOT NULL,
    is_listed        boolean          NOT NULL,
    reach            text[] COLLATE "C" NOT NULL,
    timezone         text             NOT NULL,
    rating           double precision NOT NULL,
    rating_count     integer          NOT NULL,
    sketches         bit varying[],
    CONSTRAINT search_documents_service_id_key UNIQUE (service_id)
) WITH (fillfactor = 80);
CREATE INDEX search_documents_instructor_id ON search_documents (instructor_id);
CREATE INDEX search_documents_category ON search_documents (category, doc) WHERE is_listed;

CREATE FUNCTION search_level_bits(levels text[]) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (('beginner' = ANY (levels))::int + 2 * ('intermediate' = ANY (levels))::int
            + 4 * ('advanced' = ANY (levels))::int)::smallint
$$;

CREATE FUNCTION search_reach(of_instructor text) RETURNS text[]
    LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT '=' || a.region_id FROM instructor_service_areas a WHERE a.instructor_id = of_instructor
        UNION
        SELECT '<' || array_to_string((string_to_array(a.region_id, '/'))[1:depth], '/')
          FROM instructor_service_areas a,
               generate_series(1, cardinality(string_to_array(a.region_id, '/')) - 1) AS depth
         WHERE a.instructor_id = of_instructor
        UNION
        SELECT '@' || p.home_city FROM instructor_profiles p WHERE p.user_id = of_instructor AND p.home_city IS NOT NULL)
$$;

-- Services that came or changed.
CREATE FUNCTION search_add_services() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever changes a profile or its areas has locked its row: this waits for it, and then sees what it wrote.
    PERFORM FROM instructor_profiles
      WHERE user_id IN (SELECT instructor_id FROM changed) ORDER BY user_id FOR SHARE;
    INSERT INTO search_documents (service_id, instructor_id, category, price_cents, duration_minutes, currency, age_min,
                                       age_max, levels, is_online, is_in_person, is_listed, reach, timezone, rating,
                                       rating_count)
    SELECT s.id, s.instructor_id, s.category, s.price_cents, s.duration_minutes, s.currency, s.age_min, s.age_max,
           search_level_bits(s.levels), s.is_online, s.is_in_person, s.retired_at IS NULL AND u.is_active,
           search_reach(s.instructor_id), COALESCE(p.timezone, 'UTC'), COALESCE(p.rating_mean, 0),
           COALESCE(p.rating_count, 0)
      FROM changed s JOIN users u ON u.id = s.instructor_id
           LEFT JOIN instructor_profiles p ON p.user_id = s.instructor_id
     ORDER BY s.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER services_search_added AFTER INSERT ON services
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_add_services();

CREATE FUNCTION search_follow_services() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents d
       SET category = n.category, price_cents = n.price_cents, duration_minutes = n.duration_minutes,
           currency = n.currency, age_min = n.age_min, age_max = n.age_max, levels = n.level_bits, is_online = n.is_online,
           is_in_person = n.is_in_person, is_listed = n.is_listed
      FROM (SELECT s.*, search_level_bits(s.levels) AS level_bits, s.retired_at IS NULL AND u.is_active AS is_listed
              FROM changed s JOIN users u ON u.id = s.instructor_id) n
     WHERE d.service_id = n.id
       AND (d.category, d.price_cents, d.duration_minutes, d.currency, d.age_min, d.age_max, d.levels, d.is_online,
            d.is_in_person, d.is_listed)
           IS DISTINCT FROM
           (n.category, n.price_cents, n.duration_minutes, n.currency, n.age_min, n.age_max, n.level_bits, n.is_online,
            n.is_in_person, n.is_listed);
    RETURN NULL;
END
$$;
CREATE TRIGGER services_search_changed AFTER UPDATE ON services
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_follow_services();

-- Instructors whose areas or profile changed. Rows are locked in the order of their keys, as whoever indexes them does.
CREATE FUNCTION search_follow_instructors(instructor_ids text[]) RETURNS void
    LANGUAGE sql AS $$
    WITH ours AS MATERIALIZED (
        SELECT doc FROM search_documents WHERE instructor_id = ANY (instructor_ids) ORDER BY doc FOR UPDATE)
    UPDATE search_documents d
       SET reach = n.reach, timezone = n.timezone, rating = n.rating, rating_count = n.rating_count,
           is_listed = n.is_active AND (SELECT retired_at IS NULL FROM services WHERE id = d.service_id)
      FROM (SELECT u.id, u.is_active, search_reach(u.id) AS reach, COALESCE(p.timezone, 'UTC') AS timezone,
                   COALESCE(p.rating_mean, 0) AS rating, COALESCE(p.rating_count, 0) AS rating_count
              FROM users u LEFT JOIN instructor_profiles p ON p.user_id = u.id
             WHERE u.id = ANY (instructor_ids)) n
     WHERE d.doc IN (SELECT doc FROM ours) AND d.instructor_id = n.id
$$;

CREATE FUNCTION search_follow_areas() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_follow_instructors(ARRAY(SELECT DISTINCT instructor_id FROM changed));
    RETURN NULL;
END
$$;
CREATE TRIGGER instructor_service_areas_search_added AFTER INSERT ON instructor_service_areas
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_follow_areas();
CREATE TRIGGER instructor_service_areas_search_removed AFTER DELETE ON instructor_service_areas
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_follow_areas();

CREATE FUNCTION search_follow_profiles() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_follow_instructors(ARRAY(SELECT user_id FROM changed));
    RETURN NULL;
END
$$;
CREATE TRIGGER instructor_profiles_search_added AFTER INSERT ON instructor_profiles
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_follow_profiles();
CREATE TRIGGER instructor_profiles_search_changed AFTER UPDATE ON instructor_profiles
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION search_follow_profiles();

CREATE FUNCTION search_follow_user() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_follow_instructors(ARRAY [NEW.id]);
    RETURN NULL;
END
$$;
CREATE TRIGGER users_search_changed AFTER UPDATE OF is_active ON users
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active) EXECUTE FUNCTION search_follow_user();

-- The index of words, which follows a little later: see services.search_dirty.

-- The dictionary. documents: how many have it; titles: of these, how many in title or category, which is where spelling is right.
CREATE TABLE search_lexemes (
    number    integer          GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lexeme    text COLLATE "C" NOT NULL,
    documents integer          NOT NULL,
    titles    integer          NOT NULL,
    CONSTRAINT search_lexemes_lexeme_key UNIQUE (lexeme)
) WITH (fillfactor = 50);
CREATE INDEX search_lexemes_similar ON search_lexemes USING gin (lexeme gin_trgm_ops);

-- frequency: occurrences, those in the title counted more; length: the same of all words of the document.
CREATE TABLE search_postings (
    lexeme    integer NOT NULL,
    doc       integer NOT NULL,
    frequency real    NOT NULL,
    length    real    NOT NULL,
    PRIMARY KEY (lexeme, doc) INCLUDE (frequency, length)
);

-- Which postings are a document's. No foreign key: what is left of a deleted one is cleared later.
CREATE TABLE search_texts (
    doc     integer   PRIMARY KEY,
    lexemes integer[] NOT NULL,
    titles  integer[] NOT NULL,
    length  real      NOT NULL
);

-- Sums over search_texts. One row.
CREATE TABLE search_corpus (
    is_only   boolean          PRIMARY KEY DEFAULT true,
    documents integer          NOT NULL,
    length    double precision NOT NULL,
    CONSTRAINT search_corpus_is_only CHECK (is_only)
);
INSERT INTO search_corpus (documents, length) VALUES (0, 0);

CREATE TABLE search_orphans (
    doc integer PRIMARY KEY
);
CREATE FUNCTION search_orphan() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_orphans SELECT doc FROM gone;
    RETURN NULL;
END
$$;
CREATE TRIGGER search_documents_gone AFTER DELETE ON search_documents
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION search_orphan();

-- place: in search_documents.sketches; never given twice, as an old sketch may still be there. A model is searched with once every
-- service has a vector of it.
CREATE TABLE search_models (
    model     text COLLATE "C" PRIMARY KEY,
    place     smallint         GENERATED ALWAYS AS IDENTITY,
    dimension integer          NOT NULL,
    is_ready  boolean          NOT NULL DEFAULT false,
    CONSTRAINT search_models_place_key UNIQUE (place)
);

-- In half precision, which changes no cosine by more than 0.001 and takes half the room.
CREATE TABLE service_embeddings (
    place     smallint NOT NULL REFERENCES search_models (place) ON DELETE CASCADE,
    doc       integer  NOT NULL REFERENCES search_documents (doc) ON DELETE CASCADE,
    embedding halfvec  NOT NULL,
    PRIMARY KEY (place, doc)
);
CREATE INDEX service_embeddings_doc ON service_embeddings (doc);

-- Which time zones instructors live in: looked up for every search that asks for a time.
CREATE INDEX instructor_profiles_timezone ON instructor_profiles (timezone);

-- Nobody asks the services themselves for a price or a category any more.
DROP INDEX services_price_cents;
DROP INDEX services_category;

-- Those that are there already.
INSERT INTO search_documents (service_id, instructor_id, category, price_cents, duration_minutes, currency, age_min, age_max,
                              levels, is_online, is_in_person, is_listed, reach, timezone, rating, rating_count)
SELECT s.id, s.instructor_id, s.category, s.price_cents, s.duration_minutes, s.currency, s.age_min, s.age_max,
       search_level_bits(s.levels), s.is_online, s.is_in_person, s.retired_at IS NULL AND u.is_active,
       search_reach(s.instructor_id), COALESCE(p.timezone, 'UTC'), COALESCE(p.rating_mean, 0), COALESCE(p.rating_count, 0)
  FROM services s JOIN users u ON u.id = s.instructor_id LEFT JOIN instructor_profiles p ON p.user_id = s.instructor_id;
