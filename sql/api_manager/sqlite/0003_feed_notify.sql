-- SQLite has no LISTEN: gateways ask for the head every ApimSyncInterval. (A migration has at least one statement.)
UPDATE am_feed_head SET revision = revision WHERE id = 1;
