-- What a publisher adds to an API for its readers: a picture and documents. Bytes are stored as base64url.
CREATE TABLE am_api_thumbnail (
    api_id TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,            -- as found in the content: image/png, image/jpeg, image/gif, image/webp
    digest TEXT NOT NULL,                -- SHA-256 of the bytes: its ETag
    content TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE am_api_document (
    id TEXT PRIMARY KEY,
    api_id TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL
        CHECK (type IN ('HOWTO', 'SAMPLES', 'PUBLIC_FORUM', 'SUPPORT_FORUM', 'API_MESSAGE_FORMAT', 'OTHER')),
    other_type_name TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL DEFAULT '',
    source_type TEXT NOT NULL CHECK (source_type IN ('INLINE', 'MARKDOWN', 'URL', 'FILE')),
    source_url TEXT NOT NULL DEFAULT '',
    visibility TEXT NOT NULL CHECK (visibility IN ('API_LEVEL', 'OWNER_ONLY', 'PRIVATE')),
    file_name TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL DEFAULT '',    -- INLINE, MARKDOWN: text; FILE: base64url
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (api_id, name)
);
