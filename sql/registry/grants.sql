-- What the nodes of a cluster may do in the Registry database. apimctl migrate runs this after the migrations, on
-- PostgreSQL, for those of the three roles that exist; it may be run any number of times. Every node writes its own row of
-- reg_node; the Key Manager reads the feed for gateways that have no database, and writes theirs.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_gateway') THEN
        GRANT SELECT ON reg_feed_head, reg_artifact TO apim_gateway;
        GRANT SELECT, INSERT, UPDATE ON reg_node TO apim_gateway;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_keymgr') THEN
        GRANT SELECT ON reg_feed_head, reg_artifact TO apim_keymgr;
        GRANT SELECT, INSERT, UPDATE ON reg_node TO apim_keymgr;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_portal') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON reg_api, reg_api_role, reg_api_tag, reg_artifact, reg_comment,
            reg_deny_policy, reg_node, reg_policy, reg_rating TO apim_portal;
        GRANT SELECT, UPDATE ON reg_feed_head TO apim_portal;
    END IF;
END
$$;
