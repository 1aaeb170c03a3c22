-- What this peer searches in: made of the same marketplace, once it is filled.
CREATE TABLE peer_services AS
SELECT s.id, s.instructor_id, s.title, s.description, s.price_cents, s.currency, s.duration_minutes, s.age_min, s.age_max,
       s.is_online, s.is_in_person, u.display_name, p.rating_mean, p.response_minutes,
       to_tsvector('english', s.title || ' ' || COALESCE(s.category, '') || ' ' || s.description) AS words,
       e.embedding::vector(256) AS embedding
  FROM services s
  JOIN users u ON u.id = s.instructor_id
  JOIN instructor_profiles p ON p.user_id = s.instructor_id
  JOIN search_documents d ON d.service_id = s.id
  JOIN service_embeddings e ON e.doc = d.doc AND e.place = 1;
ALTER TABLE peer_services ADD PRIMARY KEY (id);
CREATE INDEX ON peer_services USING gin (words);
CREATE INDEX ON peer_services USING hnsw (embedding vector_cosine_ops);
CREATE INDEX ON peer_services (instructor_id);
