-- The nodes of the cluster: what each says of itself, a row for each role it has. Written by the node, or by the Key
-- Manager that serves its feed. Nothing depends on a row: it is what the Publisher and the administrator look at.
CREATE TABLE reg_node (
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('gateway', 'keymgr', 'portal')),
    environment TEXT NOT NULL DEFAULT '',    -- gateway environment, '' for the other roles
    version TEXT NOT NULL,
    epoch TEXT NOT NULL DEFAULT '',          -- gateway: the feed it serves, and how far
    revision BIGINT NOT NULL DEFAULT 0,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,                 -- when it last said so
    detail TEXT NOT NULL DEFAULT '{}',       -- JSON; gateway: failures [{kind, key, reason}], failureCount, feed
    PRIMARY KEY (name, role)
);
CREATE INDEX reg_node_seen ON reg_node (seen_at);
