-- First of all the right to write the index: who indexes now may be about to use a word that no text has yet.
SELECT pg_advisory_xact_lock(hashtextextended('greenroom: search index', 0));

-- Words are dropped with the last text that has them, which looks for how a stem is written.
CREATE INDEX search_spellings_stem ON search_spellings (lexeme);

-- Those that are left of texts that are gone.
DELETE FROM search_spellings s USING search_lexemes l WHERE l.number = s.lexeme AND l.documents = 0;
DELETE FROM search_lexemes WHERE documents = 0;
