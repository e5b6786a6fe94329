-- User Manager database: users, roles. Times are milliseconds since the epoch, UTC. Ids are UUIDs as text.
CREATE TABLE um_user (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    email TEXT,
    given_name TEXT,
    family_name TEXT,
    organization TEXT,
    status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'PENDING', 'LOCKED', 'DISABLED')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE um_role (
    name TEXT PRIMARY KEY,
    description TEXT NOT NULL DEFAULT ''
);
CREATE TABLE um_user_role (
    user_id TEXT NOT NULL REFERENCES um_user (id) ON DELETE CASCADE,
    role TEXT NOT NULL REFERENCES um_role (name) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role)
);
CREATE INDEX um_user_role_role ON um_user_role (role);
INSERT INTO um_role (name, description) VALUES
    ('Internal/everyone', 'Every user who can log in'),
    ('Internal/creator', 'Creates and edits APIs'),
    ('Internal/publisher', 'Publishes APIs and manages their subscriptions'),
    ('Internal/subscriber', 'Uses the Store: applications, subscriptions, keys'),
    ('admin', 'Administers policies, users and nodes; may do everything');
