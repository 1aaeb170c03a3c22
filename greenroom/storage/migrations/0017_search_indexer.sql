-- Which worker indexes services: others stay away until its time is over, so that nothing is embedded twice.

ALTER TABLE search_corpus
    ADD COLUMN indexer       text,
    ADD COLUMN indexer_until timestamptz,
    ADD CONSTRAINT search_corpus_indexer CHECK ((indexer IS NULL) = (indexer_until IS NULL));
