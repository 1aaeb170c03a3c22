-- Operators look through aliases by where they come from as well as by their state, newest first.
DROP INDEX location_aliases_states;
CREATE INDEX location_aliases_sources ON location_aliases (source, state, id);
