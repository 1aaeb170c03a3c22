-- Places: regions, the names they go by, and what their names mean to an embedding model.
-- pg_trgm finds names in spite of typing errors; vector compares embeddings.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS vector;

-- An id is a path of slugs, the parent's first, so that what lies in a region begins with its id and a slash.
-- Names are compared in normal form, and exactly without spaces; both are written by the code, which asks in the same form.
CREATE TABLE region_boundaries (
    id            text COLLATE "C" PRIMARY KEY,
    city          text COLLATE "C" NOT NULL,
    parent_id     text COLLATE "C",
    kind          text             NOT NULL,
    name          text             NOT NULL,
    normal_name   text COLLATE "C" NOT NULL,
    compact_name  text COLLATE "C" NOT NULL,
    lat           double precision NOT NULL,
    lng           double precision NOT NULL,
    -- GeoJSON geometry (RFC 7946), and the box around it.
    boundary      jsonb,
    min_lat       double precision,
    min_lng       double precision,
    max_lat       double precision,
    max_lng       double precision,
    timezone      text             NOT NULL,
    prior         double precision NOT NULL,
    source        text             NOT NULL,
    CONSTRAINT region_boundaries_city_fkey FOREIGN KEY (city) REFERENCES region_boundaries (id),
    CONSTRAINT region_boundaries_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES region_boundaries (id),
    CONSTRAINT region_boundaries_kind CHECK (kind IN ('city', 'borough', 'neighbourhood')),
    CONSTRAINT region_boundaries_parent CHECK ((kind = 'city') = (parent_id IS NULL)),
    CONSTRAINT region_boundaries_point CHECK (lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180),
    CONSTRAINT region_boundaries_prior CHECK (prior BETWEEN 0 AND 1),
    CONSTRAINT region_boundaries_box CHECK (num_nulls(boundary, min_lat, min_lng, max_lat, max_lng) IN (0, 5))
);
CREATE INDEX region_boundaries_compact ON region_boundaries (compact_name);
CREATE INDEX region_boundaries_similar ON region_boundaries USING gin (normal_name gin_trgm_ops);
CREATE INDEX region_boundaries_parent_id ON region_boundaries (parent_id);
-- Walked for what is near a point: a degree of latitude is 111 km anywhere.
CREATE INDEX region_boundaries_lat ON region_boundaries (lat);
CREATE INDEX region_boundaries_cities ON region_boundaries (id) WHERE kind = 'city';

CREATE TABLE location_aliases (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text             NOT NULL,
    normal_name   text COLLATE "C" NOT NULL,
    compact_name  text COLLATE "C" NOT NULL,
    region_id     text COLLATE "C" NOT NULL,
    source        text             NOT NULL,
    state         text             NOT NULL,
    weight        double precision NOT NULL,
    created_at    timestamptz      NOT NULL,
    decided_at    timestamptz,
    decided_by    text,
    CONSTRAINT location_aliases_region_id_fkey
        FOREIGN KEY (region_id) REFERENCES region_boundaries (id) ON DELETE CASCADE,
    CONSTRAINT location_aliases_key UNIQUE (normal_name, region_id),
    CONSTRAINT location_aliases_source CHECK (source IN ('gazetteer', 'operator', 'learned')),
    CONSTRAINT location_aliases_state CHECK (state IN ('proposed', 'active', 'revoked')),
    CONSTRAINT location_aliases_weight CHECK (weight BETWEEN 0 AND 1),
    CONSTRAINT location_aliases_decided CHECK ((decided_at IS NULL) = (decided_by IS NULL))
);
CREATE INDEX location_aliases_compact ON location_aliases (compact_name) WHERE state = 'active';
-- Short ones are found exactly or not at all: "les" is similar to half the city.
CREATE INDEX location_aliases_similar ON location_aliases USING gin (normal_name gin_trgm_ops)
    WHERE state = 'active' AND length(compact_name) >= 4;
CREATE INDEX location_aliases_region_id ON location_aliases (region_id);
CREATE INDEX location_aliases_states ON location_aliases (state, id);

-- One model's vectors are never compared with another's, nor need they be as long.
CREATE TABLE region_embeddings (
    region_id text COLLATE "C" NOT NULL REFERENCES region_boundaries (id) ON DELETE CASCADE,
    model     text COLLATE "C" NOT NULL,
    dimension integer          NOT NULL,
    embedding vector           NOT NULL,
    PRIMARY KEY (model, region_id),
    CONSTRAINT region_embeddings_dimension CHECK (vector_dims(embedding) = dimension)
);
