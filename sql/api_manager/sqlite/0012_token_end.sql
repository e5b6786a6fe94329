-- When a token's row may go: once neither its access token nor its refresh token can be used. By this index the clean-up finds those
-- rows without reading all whose access token alone is over, which are most.
CREATE INDEX am_token_end ON am_token ((CASE WHEN refresh_expires_at > expires_at THEN refresh_expires_at ELSE expires_at END));
DROP INDEX am_token_expiry;
