-- What operators changed about searching: one row, or none while everything is as the settings say.

CREATE TABLE search_config (
    is_only    boolean     PRIMARY KEY DEFAULT true,
    revision   bigint      NOT NULL,
    changes    jsonb       NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT search_config_is_only CHECK (is_only),
    CONSTRAINT search_config_revision CHECK (revision > 0),
    CONSTRAINT search_config_changes CHECK (jsonb_typeof(changes) = 'object')
);
