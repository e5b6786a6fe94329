-- Deny policies: who is turned away by every gateway. Their artefacts are of the kind policy, with the key deny/<id>, while
-- they are switched on.
CREATE TABLE reg_deny_policy (
    id TEXT PRIMARY KEY,
    condition_type TEXT NOT NULL CHECK (condition_type IN ('API', 'APPLICATION', 'IP', 'IPRANGE', 'USER')),
    condition_value TEXT NOT NULL,           -- in one spelling, so that no condition is there twice
    document TEXT NOT NULL,                  -- JSON: the policy as Admin v4 shows it
    created_at BIGINT NOT NULL,
    UNIQUE (condition_type, condition_value)
);
