-- As reg_feed_head: the first change after a restore or a promotion gives the feed a new epoch, with which every gateway forgets what
-- it has verified.
ALTER TABLE am_feed_head ADD COLUMN origin TEXT NOT NULL DEFAULT '';
CREATE FUNCTION am_feed_origin() RETURNS text LANGUAGE sql AS $$
    SELECT s.system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '/' || d.oid
    FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
$$;
CREATE FUNCTION am_feed_origin_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.origin := am_feed_origin();
    IF NEW.origin <> OLD.origin AND NEW.epoch = OLD.epoch THEN
        NEW.epoch := gen_random_uuid()::text;
    END IF;
    RETURN NEW;
END $$;
UPDATE am_feed_head SET origin = am_feed_origin();
CREATE TRIGGER am_feed_origin BEFORE UPDATE ON am_feed_head FOR EACH ROW EXECUTE FUNCTION am_feed_origin_check();
