-- How lessons write their words, as search_lexemes has stems alone: what a misspelt word is compared with, and what is shown of it.
-- Kept as long as the stem is. Whether a text still has it, documents of the stem tells.
CREATE TABLE search_spellings (
    word   text COLLATE "C" PRIMARY KEY,
    lexeme integer          NOT NULL
);

-- Words that begin alike and are about as long.
CREATE INDEX search_spellings_alike ON search_spellings ((left(word, 1)), (length(word))) INCLUDE (word, lexeme);

-- Those that are there already. 1, 2: words; 10, 11: parts of words with a hyphen.
INSERT INTO search_spellings (word, lexeme)
SELECT w.word, l.number
  FROM (SELECT DISTINCT lower(unaccent(t.token)) AS word
          FROM services s CROSS JOIN LATERAL ts_parse('default', s.title || ' | ' || s.description) t
         WHERE t.tokid IN (1, 2, 10, 11)) w
 CROSS JOIN LATERAL unnest(to_tsvector('lessons', w.word)) u
  JOIN search_lexemes l ON l.lexeme = u.lexeme
 WHERE length(w.word) BETWEEN 4 AND 30
    ON CONFLICT DO NOTHING;
