-- Finding an instructor by a part of the name: without regard to case and accents.

-- NFD takes letters and their accents apart; lower() in collation C lowers the letters from A to Z and no others.
CREATE INDEX users_instructor_names ON users USING gin
    (lower(regexp_replace(normalize(display_name, NFD), '[\u0300-\u036f]', '', 'g')) gin_trgm_ops)
    WHERE role = 'instructor' AND is_active;
