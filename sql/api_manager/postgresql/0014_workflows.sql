-- Approvals: what waits for somebody's decision, where approval is switched on, and the calls to a workflow engine.
CREATE TABLE am_workflow (
    id TEXT PRIMARY KEY,                -- the reference that approvers and engines use
    type TEXT NOT NULL,                 -- AM_SUBSCRIPTION_CREATION, ...
    subject TEXT NOT NULL,              -- what it is about: an id, a user's name, application/PRODUCTION
    parent TEXT NOT NULL DEFAULT '',    -- the application that the subject belongs to
    status TEXT NOT NULL DEFAULT 'CREATED' CHECK (status IN ('CREATED', 'APPROVED', 'REJECTED')),
    description TEXT NOT NULL DEFAULT '',
    properties TEXT NOT NULL DEFAULT '{}', -- JSON: what the one who decides has to know
    request TEXT NOT NULL DEFAULT '{}', -- JSON: what is done once it is approved
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    decided_by TEXT,
    comment TEXT NOT NULL DEFAULT '',
    callout TEXT NOT NULL DEFAULT 'NONE' CHECK (callout IN ('NONE', 'DUE', 'DELIVERED', 'FAILED')),
    callout_at BIGINT NOT NULL DEFAULT 0, -- when the next call to the engine is due
    attempts BIGINT NOT NULL DEFAULT 0,
    callout_error TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX am_workflow_pending ON am_workflow (type, subject) WHERE status = 'CREATED';
CREATE INDEX am_workflow_list ON am_workflow (status, created_at, id);
CREATE INDEX am_workflow_subject ON am_workflow (subject);
CREATE INDEX am_workflow_parent ON am_workflow (parent);
CREATE INDEX am_workflow_due ON am_workflow (callout_at) WHERE callout = 'DUE';

CREATE TABLE am_workflow_type (
    type TEXT PRIMARY KEY,
    enabled INTEGER NOT NULL DEFAULT 0,
    url TEXT NOT NULL DEFAULT '',       -- of the engine; '': people decide in the pages
    auth_type TEXT NOT NULL DEFAULT 'NONE' CHECK (auth_type IN ('NONE', 'BASIC', 'BEARER')),
    username TEXT NOT NULL DEFAULT '',
    secret TEXT NOT NULL DEFAULT '',    -- sealed
    callback_url TEXT NOT NULL DEFAULT ''
);

-- Changes that wait, while what is there goes on as it is.
ALTER TABLE am_subscription ADD COLUMN requested_tier TEXT;
ALTER TABLE am_subscription ADD COLUMN deletion_pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE am_application ADD COLUMN deletion_pending INTEGER NOT NULL DEFAULT 0;
