-- Which creators and publishers work with an API: those with one of these roles, its provider and administrators.
ALTER TABLE am_api ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;
CREATE TABLE am_api_access (
    api_id TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (api_id, role)
);
