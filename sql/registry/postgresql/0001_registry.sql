-- Registry database: what is published, shared by Publisher and Store, and what gateways deploy. Times are milliseconds
-- since the epoch, UTC.

-- -- the Store's catalogue ------------------------------------------------------------------------------------------
CREATE TABLE reg_api (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    context TEXT NOT NULL,
    version TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    visibility TEXT NOT NULL,
    visible_roles TEXT NOT NULL DEFAULT '',  -- '|role|role|', '' for all
    tags TEXT NOT NULL DEFAULT '',           -- '|tag|tag|', lower case
    is_default_version INTEGER NOT NULL DEFAULT 0,
    document TEXT NOT NULL,                  -- JSON: the API as DevPortal v3 shows it
    definition TEXT NOT NULL,                -- JSON: the OpenAPI document for subscribers
    search_text TEXT NOT NULL DEFAULT '',    -- lower case: name, description, tags, provider
    source_etag BIGINT NOT NULL,             -- am_api.etag it was copied from; an older copy never overwrites a newer
    published_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX reg_api_name ON reg_api (name);
CREATE INDEX reg_api_updated ON reg_api (updated_at);

CREATE TABLE reg_api_tag (
    api_id TEXT NOT NULL REFERENCES reg_api (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (api_id, tag)
);
CREATE INDEX reg_api_tag_tag ON reg_api_tag (tag);

CREATE TABLE reg_api_role (                  -- who may see a RESTRICTED API
    api_id TEXT NOT NULL REFERENCES reg_api (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (api_id, role)
);

-- -- rate limiting policies (WSO2's tiers.xml lived in the registry too) -------------------------------------------------
CREATE TABLE reg_policy (
    id TEXT PRIMARY KEY,
    level TEXT NOT NULL CHECK (level IN ('subscription', 'application', 'advanced')),
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    document TEXT NOT NULL,                  -- JSON: the policy as Admin v4 shows it
    is_builtin INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (level, name)
);

-- -- what gateways deploy -----------------------------------------------------------------------------------------------
-- One row an artefact, with the revision of its latest change: a reader asks for revision > N and gets each artefact once,
-- however long it was away. Removal leaves a tombstone. Revisions come from reg_feed_head, updated inside the transaction
-- that makes the change; the row lock keeps them in commit order.
CREATE TABLE reg_feed_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL,
    epoch TEXT NOT NULL
);
INSERT INTO reg_feed_head (id, revision, epoch) VALUES (1, 0, 'initial');
CREATE TABLE reg_artifact (
    kind TEXT NOT NULL CHECK (kind IN ('api', 'policy')),
    key TEXT NOT NULL,                       -- api: its id; policy: level/name
    environment TEXT NOT NULL DEFAULT '',    -- gateway environment, '' for all
    revision BIGINT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    payload TEXT NOT NULL,                   -- JSON, see docs/architecture.md; '' once deleted
    source_etag BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, key, environment)
);
CREATE UNIQUE INDEX reg_artifact_revision ON reg_artifact (revision);
