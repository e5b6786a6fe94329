-- Log-ins of the web pages. The browser holds the session's id; here are its hash, and the access token sealed under a key made
-- of that id: who reads this table can use neither.
CREATE TABLE am_portal_session (
    id_hash TEXT PRIMARY KEY,           -- SHA-256
    username TEXT NOT NULL,
    sealed_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX am_portal_session_expiry ON am_portal_session (expires_at);

-- The OAuth client that the web pages are. A portal proves itself by the cluster secret; the secret hash is no hash, so that nobody
-- else can use this client.
INSERT INTO am_oauth_client (consumer_key, secret_hash, client_name, owner, grant_types, token_type, access_token_lifetime,
    created_at, updated_at)
VALUES ('apim_portal', 'none', 'API Manager', '', 'authorization_code', 'OAUTH', 28800, 0, 0);
