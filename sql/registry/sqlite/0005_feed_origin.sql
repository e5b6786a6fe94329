-- SQLite cannot tell that a file was restored: apimctl feed new-epoch says so. (A migration has at least one statement.)
UPDATE reg_feed_head SET revision = revision WHERE id = 1;
