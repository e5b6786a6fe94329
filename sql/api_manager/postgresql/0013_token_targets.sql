-- Whom a token is meant for where the client said so (RFC 8707, RFC 8693): blank-separated; NULL: whoever ApimTokenAudience names.
ALTER TABLE am_token ADD COLUMN audience TEXT;
-- What a refresh token stands for: NULL: the same as audience; '': no restriction.
ALTER TABLE am_token ADD COLUMN refresh_audience TEXT;
ALTER TABLE am_auth_code ADD COLUMN audience TEXT;
ALTER TABLE am_device_code ADD COLUMN audience TEXT;
-- Who acts for the user, as JSON (RFC 8693 section 4.1); and the family or id of the token that this one was exchanged for, with
-- which it dies.
ALTER TABLE am_token ADD COLUMN act TEXT;
ALTER TABLE am_token ADD COLUMN derived_from TEXT;
CREATE INDEX am_token_derived ON am_token (derived_from) WHERE derived_from IS NOT NULL;
