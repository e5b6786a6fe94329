-- Gateways LISTEN: they learn of an invalidation when its transaction commits. The payload is the revision, for whoever looks on.
CREATE FUNCTION am_feed_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('apim_invalidation', NEW.revision::text);
    RETURN NULL;
END $$;
CREATE TRIGGER am_feed_notify AFTER UPDATE ON am_feed_head FOR EACH ROW EXECUTE FUNCTION am_feed_notify();
