-- What may be used once and is told by its holder: assertions (their jti), pushed authorization requests. Rows go when what they
-- name has expired.
CREATE TABLE am_used_once (
    id_hash TEXT PRIMARY KEY,           -- SHA-256
    expires_at BIGINT NOT NULL
);
CREATE INDEX am_used_once_expiry ON am_used_once (expires_at);
