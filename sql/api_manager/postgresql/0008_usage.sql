-- What calls were made, added up by minute, hour and day ("period"; "since": its beginning, ms). A series is one combination of
-- the columns from node to code; its name is their hash. Times of calls are counted in buckets (b0 to b11: up to 1, 2, 5, 10, 25, 50,
-- 100, 250, 1000, 2500, 10000 ms, and above), which can be added up over any series.
CREATE TABLE am_usage (
    period TEXT NOT NULL,               -- minute, hour, day
    since BIGINT NOT NULL,
    series TEXT NOT NULL,
    node TEXT NOT NULL,
    api_id TEXT NOT NULL,               -- '': no API has the path
    api_name TEXT NOT NULL,
    api_version TEXT NOT NULL,
    resource TEXT NOT NULL,
    verb TEXT NOT NULL,
    application_id TEXT NOT NULL,       -- '': no credentials
    username TEXT NOT NULL,
    tier TEXT NOT NULL,
    key_type TEXT NOT NULL,             -- PRODUCTION, SANDBOX, ''
    status_class BIGINT NOT NULL,       -- 2 for 2xx
    code BIGINT NOT NULL,               -- of the gateway's refusal, 0: none
    calls BIGINT NOT NULL,
    total_us BIGINT NOT NULL,
    backend_us BIGINT NOT NULL,
    max_us BIGINT NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    b0 BIGINT NOT NULL, b1 BIGINT NOT NULL, b2 BIGINT NOT NULL, b3 BIGINT NOT NULL, b4 BIGINT NOT NULL, b5 BIGINT NOT NULL,
    b6 BIGINT NOT NULL, b7 BIGINT NOT NULL, b8 BIGINT NOT NULL, b9 BIGINT NOT NULL, b10 BIGINT NOT NULL, b11 BIGINT NOT NULL,
    PRIMARY KEY (period, since, series)
);
CREATE INDEX am_usage_of_api ON am_usage (api_id, period, since);
CREATE INDEX am_usage_of_application ON am_usage (application_id, period, since);

-- Batches that are in am_usage: one that comes again is known.
CREATE TABLE am_usage_batch (
    id TEXT PRIMARY KEY,
    added_at BIGINT NOT NULL
);
CREATE INDEX am_usage_batch_age ON am_usage_batch (added_at);
