-- A database that was restored, or a replica that was promoted, may have lost the last changes that gateways saw, and gives their
-- revisions to others. The first change there tells: the row then comes from another cluster, timeline or database than the last
-- change, and the feed gets a new epoch, with which every node loads everything anew.
ALTER TABLE reg_feed_head ADD COLUMN origin TEXT NOT NULL DEFAULT '';
CREATE FUNCTION reg_feed_origin() RETURNS text LANGUAGE sql AS $$
    SELECT s.system_identifier || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '/' || d.oid
    FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
$$;
CREATE FUNCTION reg_feed_origin_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.origin := reg_feed_origin();
    IF NEW.origin <> OLD.origin AND NEW.epoch = OLD.epoch THEN
        NEW.epoch := gen_random_uuid()::text;
    END IF;
    RETURN NEW;
END $$;
UPDATE reg_feed_head SET origin = reg_feed_origin();
CREATE TRIGGER reg_feed_origin BEFORE UPDATE ON reg_feed_head FOR EACH ROW EXECUTE FUNCTION reg_feed_origin_check();
