-- Categories that the administrator offers for APIs, and those that each API has, for search. Lists sort by name or time.
CREATE TABLE am_api_category (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX am_api_category_name ON am_api_category (LOWER(name));
ALTER TABLE am_api ADD COLUMN categories TEXT NOT NULL DEFAULT ''; -- '|category|category|'
CREATE INDEX am_api_by_name ON am_api (LOWER(name), version, id);
CREATE INDEX am_api_by_creation ON am_api (created_at, id);
