-- What people say of APIs in the Store and the Publisher. It outlives the catalogue row of an API that is demoted and
-- published again, and goes with the API.
CREATE TABLE reg_rating (
    id TEXT PRIMARY KEY,
    api_id TEXT NOT NULL,
    username TEXT NOT NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    updated_at BIGINT NOT NULL,
    UNIQUE (api_id, username)
);
CREATE INDEX reg_rating_user ON reg_rating (username);

CREATE TABLE reg_comment (
    id TEXT PRIMARY KEY,
    api_id TEXT NOT NULL,
    parent_id TEXT NOT NULL DEFAULT '',  -- the comment that it answers, '' for none; answers have no answers
    content TEXT NOT NULL,
    category TEXT NOT NULL,
    entry_point TEXT NOT NULL CHECK (entry_point IN ('PUBLISHER', 'DEVPORTAL')),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL DEFAULT 0 -- 0: never changed
);
CREATE INDEX reg_comment_thread ON reg_comment (api_id, parent_id, created_at);
CREATE INDEX reg_comment_user ON reg_comment (created_by);
