-- What instructors offer, in full: for whom, where and when; and who they are.

-- A service that was booked is never deleted, only retired.
-- levels: empty for whatever level. age_min, age_max: inclusive, NULL for no bound.
-- external_id: what the files it is imported from call it.
-- search_dirty: what it is found by changed (title, description, category, whether it is retired) since it was indexed. Whoever
-- has indexed it clears the mark only if updated_at is still what was read.
ALTER TABLE services
    ADD COLUMN category     text COLLATE "C",
    ADD COLUMN levels       text[]           NOT NULL DEFAULT '{}',
    ADD COLUMN age_min      smallint,
    ADD COLUMN age_max      smallint,
    ADD COLUMN is_online    boolean          NOT NULL DEFAULT false,
    ADD COLUMN is_in_person boolean          NOT NULL DEFAULT true,
    ADD COLUMN external_id  text COLLATE "C",
    ADD COLUMN created_at   timestamptz      NOT NULL DEFAULT now(),
    ADD COLUMN updated_at   timestamptz      NOT NULL DEFAULT now(),
    ADD COLUMN retired_at   timestamptz,
    ADD COLUMN search_dirty boolean          NOT NULL DEFAULT true,
    ADD CONSTRAINT services_external_id_key UNIQUE (instructor_id, external_id),
    ADD CONSTRAINT services_levels CHECK (levels <@ ARRAY ['beginner', 'intermediate', 'advanced']),
    ADD CONSTRAINT services_ages CHECK (age_min <= age_max),
    ADD CONSTRAINT services_price CHECK (price_cents >= 0),
    ADD CONSTRAINT services_place CHECK (is_online OR is_in_person);
CREATE INDEX services_dirty ON services (updated_at, id) WHERE search_dirty;
CREATE INDEX services_category ON services (category) WHERE retired_at IS NULL;
CREATE INDEX services_price_cents ON services (price_cents) WHERE retired_at IS NULL;

-- An instructor may have none: registering makes an account, and offering lessons a profile.
-- home_city, region_id: slugs of regions. They are no foreign keys, so that the map can be loaded anew on its own.
-- response_minutes: median time to a first answer, NULL if unknown. timezone: an IANA name; availability is told in it.
CREATE TABLE instructor_profiles (
    user_id          text COLLATE "C" PRIMARY KEY REFERENCES users (id),
    bio              text             NOT NULL DEFAULT '',
    rating_mean      double precision NOT NULL DEFAULT 0,
    rating_count     integer          NOT NULL DEFAULT 0,
    response_minutes integer,
    home_city        text COLLATE "C",
    timezone         text             NOT NULL DEFAULT 'UTC',
    external_id      text COLLATE "C",
    created_at       timestamptz      NOT NULL,
    updated_at       timestamptz      NOT NULL,
    CONSTRAINT instructor_profiles_external_id_key UNIQUE (external_id),
    CONSTRAINT instructor_profiles_rating CHECK (
        CASE WHEN rating_count > 0 THEN rating_mean BETWEEN 1 AND 5 ELSE rating_count = 0 AND rating_mean = 0 END)
);
CREATE INDEX instructor_profiles_home_city ON instructor_profiles (home_city);

CREATE TABLE instructor_service_areas (
    instructor_id text COLLATE "C" NOT NULL REFERENCES users (id),
    region_id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (instructor_id, region_id)
);
CREATE INDEX instructor_service_areas_region ON instructor_service_areas (region_id, instructor_id);

-- Free every week: weekday as in ISO 8601, 1 for Monday; minutes after local midnight, the end excluded.
CREATE TABLE instructor_availability (
    instructor_id text COLLATE "C" NOT NULL REFERENCES users (id),
    weekday       smallint         NOT NULL,
    from_minute   smallint         NOT NULL,
    to_minute     smallint         NOT NULL,
    PRIMARY KEY (instructor_id, weekday, from_minute),
    CONSTRAINT instructor_availability_weekday CHECK (weekday BETWEEN 1 AND 7),
    CONSTRAINT instructor_availability_minutes CHECK (0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440)
);
CREATE INDEX instructor_availability_time ON instructor_availability (weekday, from_minute, to_minute, instructor_id);

-- Whether a service that is to be deleted was booked.
CREATE INDEX bookings_service ON bookings (service_id);
