-- Device authorization (RFC 8628): what a device without a browser waits for, and what a person decided about it elsewhere.
CREATE TABLE am_device_code (
    device_hash TEXT PRIMARY KEY,       -- SHA-256 of what the device holds
    user_hash TEXT NOT NULL UNIQUE,     -- of what the person types in, keyed by the cluster secret: it is short
    consumer_key TEXT NOT NULL,
    scopes TEXT NOT NULL,               -- asked for; once allowed: granted
    status TEXT NOT NULL,               -- PENDING, ALLOWED, DENIED, USED
    username TEXT,                      -- who decided
    auth_time BIGINT,                   -- when that person's password was shown
    poll_interval BIGINT NOT NULL,      -- ms between two questions of the device
    polled_at BIGINT NOT NULL,          -- 0: not yet
    expires_at BIGINT NOT NULL
);
CREATE INDEX am_device_code_expiry ON am_device_code (expires_at);
