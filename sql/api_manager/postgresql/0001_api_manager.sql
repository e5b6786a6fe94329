-- API Manager database: APIs, applications, subscriptions, OAuth clients, tokens, keys. Times are milliseconds since the
-- epoch, UTC. Ids are UUIDs as text. Booleans are 0 and 1. JSON is text. The same statements run on PostgreSQL and SQLite.

-- -- APIs: the publishers' working copies ---------------------------------------------------------------------------
CREATE TABLE am_api (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    context TEXT NOT NULL,              -- as the gateway sees it, with the version: /pizzashack/1.0.0
    context_template TEXT NOT NULL,     -- as the publisher wrote it: /pizzashack or /{version}/pizzashack
    version TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    api_type TEXT NOT NULL DEFAULT 'HTTP',
    status TEXT NOT NULL DEFAULT 'CREATED'
        CHECK (status IN ('CREATED', 'PROTOTYPED', 'PUBLISHED', 'BLOCKED', 'DEPRECATED', 'RETIRED')),
    is_default_version INTEGER NOT NULL DEFAULT 0,
    visibility TEXT NOT NULL DEFAULT 'PUBLIC' CHECK (visibility IN ('PUBLIC', 'PRIVATE', 'RESTRICTED')),
    tags TEXT NOT NULL DEFAULT '',      -- '|tag|tag|', lower case: for search
    document TEXT NOT NULL,             -- JSON: the API as Publisher v4 shows it, without what has a column and the definition
    definition TEXT NOT NULL,           -- JSON: the OpenAPI document
    etag BIGINT NOT NULL DEFAULT 1,     -- grows with every change; the ETag of REST, the order of publication
    revision_count INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (name, version, provider),
    UNIQUE (context)
);
CREATE INDEX am_api_template ON am_api (context_template);
CREATE INDEX am_api_updated ON am_api (updated_at);

CREATE TABLE am_api_lifecycle_event (
    api_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    previous_state TEXT,
    post_state TEXT NOT NULL,
    username TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (api_id, seq)
);

CREATE TABLE am_api_revision (
    id TEXT PRIMARY KEY,
    api_id TEXT NOT NULL,
    number INTEGER NOT NULL,            -- "Revision 3"
    description TEXT NOT NULL DEFAULT '',
    document TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (api_id, number)
);

CREATE TABLE am_api_deployment (
    api_id TEXT NOT NULL,
    environment TEXT NOT NULL,          -- gateway environment: "Default"
    revision_id TEXT NOT NULL,
    vhost TEXT NOT NULL DEFAULT 'localhost',
    display_on_devportal INTEGER NOT NULL DEFAULT 1,
    deployed_at BIGINT NOT NULL,
    PRIMARY KEY (api_id, environment)
);

CREATE TABLE am_environment (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT 'hybrid' CHECK (type IN ('hybrid', 'production', 'sandbox')),
    gateway_url TEXT NOT NULL DEFAULT ''
);
INSERT INTO am_environment (name, display_name, description) VALUES ('Default', 'Default', 'The default gateway environment');

-- What still has to be copied to the registry database (there is no transaction across databases): written with the change,
-- removed when the registry has it, retried by any portal.
CREATE TABLE am_publication_outbox (
    api_id TEXT PRIMARY KEY,
    etag BIGINT NOT NULL,
    queued_at BIGINT NOT NULL
);

-- -- applications and subscriptions ---------------------------------------------------------------------------------
CREATE TABLE am_application (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    tier TEXT NOT NULL DEFAULT 'Unlimited',
    token_type TEXT NOT NULL DEFAULT 'JWT' CHECK (token_type IN ('JWT', 'OAUTH')),
    status TEXT NOT NULL DEFAULT 'APPROVED' CHECK (status IN ('CREATED', 'ON_HOLD', 'APPROVED', 'REJECTED')),
    attributes TEXT NOT NULL DEFAULT '{}',
    groups TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (owner, name)
);

CREATE TABLE am_subscription (
    id TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES am_application (id) ON DELETE CASCADE,
    api_id TEXT NOT NULL,
    tier TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'UNBLOCKED'
        CHECK (status IN ('UNBLOCKED', 'BLOCKED', 'PROD_ONLY_BLOCKED', 'ON_HOLD', 'REJECTED')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (application_id, api_id)
);
CREATE INDEX am_subscription_api ON am_subscription (api_id);

-- -- OAuth 2.0 clients: an application's production and sandbox keys, and clients registered by themselves ---------------
CREATE TABLE am_oauth_client (
    consumer_key TEXT PRIMARY KEY,      -- client_id
    secret_hash TEXT,                   -- SHA-256; NULL: public client
    client_name TEXT NOT NULL,
    owner TEXT NOT NULL,
    grant_types TEXT NOT NULL DEFAULT '',     -- blank-separated
    redirect_uris TEXT NOT NULL DEFAULT '[]', -- JSON array
    scopes TEXT,                        -- what the client may ask for; NULL: whatever the user's roles allow
    token_type TEXT NOT NULL DEFAULT 'JWT',
    access_token_lifetime BIGINT,       -- seconds; NULL: the server's default
    refresh_token_lifetime BIGINT,
    registration_token_hash TEXT,       -- RFC 7592
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX am_oauth_client_owner ON am_oauth_client (owner, client_name);

CREATE TABLE am_application_key (
    id TEXT PRIMARY KEY,                -- keyMappingId
    application_id TEXT NOT NULL REFERENCES am_application (id) ON DELETE CASCADE,
    key_type TEXT NOT NULL CHECK (key_type IN ('PRODUCTION', 'SANDBOX')),
    key_manager TEXT NOT NULL DEFAULT 'Resident Key Manager',
    consumer_key TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    UNIQUE (application_id, key_type, key_manager)
);

-- -- tokens: only hashes of what a caller holds ----------------------------------------------------------------------
CREATE TABLE am_token (
    id TEXT PRIMARY KEY,                -- the grant: one row an access token issued with a refresh token or opaque
    token_hash TEXT UNIQUE,             -- SHA-256 of an opaque access token, or of a JWT's jti
    refresh_hash TEXT UNIQUE,
    family TEXT NOT NULL,               -- all tokens that descend from one grant
    consumer_key TEXT NOT NULL,
    username TEXT,                      -- NULL: application token
    scopes TEXT NOT NULL DEFAULT '',
    grant_type TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    refresh_expires_at BIGINT,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'ROTATED', 'REVOKED'))
);
CREATE INDEX am_token_client ON am_token (consumer_key);
CREATE INDEX am_token_family ON am_token (family);
CREATE INDEX am_token_user ON am_token (username);
CREATE INDEX am_token_expiry ON am_token (expires_at);

-- Self-contained tokens that were revoked before they expired, and "everything of this subject issued before then".
CREATE TABLE am_revocation (
    kind TEXT NOT NULL CHECK (kind IN ('jti', 'client', 'user', 'application', 'api_key')),
    subject TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,         -- tokens issued at or before this are dead
    expires_at BIGINT NOT NULL,         -- when the row may be removed
    PRIMARY KEY (kind, subject)
);

CREATE TABLE am_signing_key (
    kid TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,            -- ES256, RS256
    private_jwk TEXT NOT NULL,          -- wrapped with the cluster secret where one is set
    public_jwk TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('NEXT', 'ACTIVE', 'RETIRED')),
    created_at BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at BIGINT
);

CREATE TABLE am_api_key (
    id TEXT PRIMARY KEY,                -- jti of the API key (a JWT); the key itself is not stored
    application_id TEXT NOT NULL REFERENCES am_application (id) ON DELETE CASCADE,
    key_type TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    permitted_ips TEXT NOT NULL DEFAULT '',
    permitted_referers TEXT NOT NULL DEFAULT '',
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT                   -- NULL: never
);

-- -- scopes shared by all APIs ----------------------------------------------------------------------------------------
CREATE TABLE am_scope (
    name TEXT NOT NULL,
    api_id TEXT NOT NULL DEFAULT '',    -- '' for a shared scope
    display_name TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    roles TEXT NOT NULL DEFAULT '',     -- blank-separated; '' binds it to no role: everyone gets it
    PRIMARY KEY (name, api_id)
);

-- -- what cached verifications must forget ----------------------------------------------------------------------------
-- Revisions are assigned by updating the one row of am_feed_head inside the transaction that makes the change. The row lock
-- keeps them in commit order, so a reader that has seen N misses nothing at or below N.
CREATE TABLE am_feed_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL,
    epoch TEXT NOT NULL                 -- changes when the database is restored or rebuilt: readers start over
);
INSERT INTO am_feed_head (id, revision, epoch) VALUES (1, 0, 'initial');
CREATE TABLE am_invalidation (
    revision BIGINT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('token', 'client', 'application', 'api', 'user', 'all')),
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
