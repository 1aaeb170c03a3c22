-- Where and how lessons are had as one look at an index, whatever is asked for; and sketches a column each, which is read at a third of
-- what an element of an array costs.

-- "@" and each city of the instructor, by home or by areas; "~" alone and with each city of a lesson online; "*" in the place of a
-- city where there is none. Of a lesson in person "=" and each region that is served, "<" and each that one of these lies in.
DROP FUNCTION search_reach(text);
CREATE FUNCTION search_reach(of_instructor text, is_online boolean, is_in_person boolean) RETURNS text[]
    LANGUAGE sql STABLE AS $$
    WITH areas AS (
        SELECT region_id, string_to_array(region_id, '/') AS parts FROM instructor_service_areas
         WHERE instructor_id = of_instructor),
    cities AS (
        SELECT parts[1] AS city FROM areas
         UNION
        SELECT home_city FROM instructor_profiles WHERE user_id = of_instructor AND home_city IS NOT NULL)
    SELECT ARRAY(
        SELECT '@' || city FROM cities
         UNION ALL
        SELECT '~' || city FROM cities WHERE is_online
         UNION ALL
        SELECT '~' WHERE is_online
         UNION ALL
        SELECT unnest(ARRAY ['@*', '~*']) WHERE is_online AND NOT EXISTS (SELECT FROM cities)
         UNION ALL
        SELECT '=' || region_id FROM areas WHERE is_in_person
         UNION
        SELECT '<' || array_to_string(parts[1:depth], '/')
          FROM areas, generate_series(1, cardinality(parts) - 1) AS depth WHERE is_in_person)
$$;

ALTER TABLE search_documents
    DROP COLUMN sketches,
    ADD COLUMN sketch_1 bit varying,
    ADD COLUMN sketch_2 bit varying,
    ADD COLUMN sketch_3 bit varying,
    ADD COLUMN sketch_4 bit varying;
UPDATE search_documents SET reach = search_reach(instructor_id, is_online, is_in_person);
-- No list of what is pending: it would be read whole by every search.
CREATE INDEX search_documents_reach ON search_documents USING gin (reach) WITH (fastupdate = off) WHERE is_listed;

-- place: which sketch is the model's.
DELETE FROM search_models;
ALTER TABLE search_models ALTER COLUMN place DROP IDENTITY, ADD CONSTRAINT search_models_place CHECK (place BETWEEN 1 AND 4);
UPDATE services SET search_dirty = true;

CREATE OR REPLACE FUNCTION search_add_services() RETURNS trigger
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
           search_reach(s.instructor_id, s.is_online, s.is_in_person), COALESCE(p.timezone, 'UTC'),
           COALESCE(p.rating_mean, 0), COALESCE(p.rating_count, 0)
      FROM changed s JOIN users u ON u.id = s.instructor_id
           LEFT JOIN instructor_profiles p ON p.user_id = s.instructor_id
     ORDER BY s.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION search_follow_services() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_documents d
       SET category = n.category, price_cents = n.price_cents, duration_minutes = n.duration_minutes,
           currency = n.currency, age_min = n.age_min, age_max = n.age_max, levels = n.level_bits, is_online = n.is_online,
           is_in_person = n.is_in_person, is_listed = n.is_listed,
           reach = CASE WHEN (d.is_online, d.is_in_person) = (n.is_online, n.is_in_person) THEN d.reach
                        ELSE search_reach(n.instructor_id, n.is_online, n.is_in_person) END
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

CREATE OR REPLACE FUNCTION search_follow_instructors(instructor_ids text[]) RETURNS void
    LANGUAGE sql AS $$
    WITH ours AS MATERIALIZED (
        SELECT doc FROM search_documents WHERE instructor_id = ANY (instructor_ids) ORDER BY doc FOR UPDATE)
    UPDATE search_documents d
       SET reach = search_reach(d.instructor_id, d.is_online, d.is_in_person), timezone = n.timezone, rating = n.rating,
           rating_count = n.rating_count,
           is_listed = n.is_active AND (SELECT retired_at IS NULL FROM services WHERE id = d.service_id)
      FROM (SELECT u.id, u.is_active, COALESCE(p.timezone, 'UTC') AS timezone, COALESCE(p.rating_mean, 0) AS rating,
                   COALESCE(p.rating_count, 0) AS rating_count
              FROM users u LEFT JOIN instructor_profiles p ON p.user_id = u.id
             WHERE u.id = ANY (instructor_ids)) n
     WHERE d.doc IN (SELECT doc FROM ours) AND d.instructor_id = n.id
$$;
