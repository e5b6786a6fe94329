-- Whom an application is shared with: who has one of these roles works with it as its owner does.
CREATE TABLE am_application_group (
    application_id TEXT NOT NULL REFERENCES am_application (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (application_id, role)
);
