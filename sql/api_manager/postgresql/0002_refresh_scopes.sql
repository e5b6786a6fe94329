-- What a refresh token stands for, where the access token issued with it was asked for with fewer scopes (RFC 6749 section 6:
-- the refresh token keeps its own). NULL: the same as scopes.
ALTER TABLE am_token ADD COLUMN refresh_scopes TEXT;
