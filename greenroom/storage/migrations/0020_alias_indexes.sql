-- An index of the active aliases alone invites a planner that takes them for few to walk it whole and to compare every name. Now
-- only the trigrams lead to similar names, whatever the statistics say; the few that are revoked are left out afterwards.
DROP INDEX location_aliases_compact;
DROP INDEX location_aliases_similar;
CREATE INDEX location_aliases_compact ON location_aliases (compact_name);
CREATE INDEX location_aliases_similar ON location_aliases USING gin (normal_name gin_trgm_ops);
