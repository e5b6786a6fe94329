-- Two users whose names differ in case only would be taken for one another.
CREATE UNIQUE INDEX um_user_any_case ON um_user (LOWER(username));
