-- Log-ins by web page: single sign-on sessions, authorization codes, what users consented to. Only hashes of what a browser or
-- client holds.
CREATE TABLE am_login_session (
    id_hash TEXT PRIMARY KEY,           -- SHA-256 of the cookie's value
    username TEXT NOT NULL,
    auth_time BIGINT NOT NULL,          -- when the password was shown
    expires_at BIGINT NOT NULL
);
CREATE INDEX am_login_session_expiry ON am_login_session (expires_at);

CREATE TABLE am_auth_code (
    code_hash TEXT PRIMARY KEY,         -- SHA-256
    consumer_key TEXT NOT NULL,
    username TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,                     -- PKCE, S256; NULL: none (confidential clients only)
    scopes TEXT NOT NULL,
    nonce TEXT,
    auth_time BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    family TEXT                         -- of the tokens it was redeemed for; NULL: not used yet
);
CREATE INDEX am_auth_code_expiry ON am_auth_code (expires_at);

CREATE TABLE am_consent (
    username TEXT NOT NULL,
    consumer_key TEXT NOT NULL,
    scopes TEXT NOT NULL,               -- blank-separated
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (username, consumer_key)
);
