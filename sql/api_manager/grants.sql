-- What the nodes of a cluster may do in the API Manager database. apimctl migrate runs this after the migrations, on
-- PostgreSQL, for those of the three roles that exist; it may be run any number of times. Tokens and signing keys are the
-- Key Manager's alone, APIs and subscriptions the portal's; a gateway reads what it must forget.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_gateway') THEN
        GRANT SELECT ON am_feed_head, am_invalidation TO apim_gateway;
        GRANT SELECT, INSERT, UPDATE ON am_usage TO apim_gateway;
        GRANT SELECT, INSERT ON am_usage_batch TO apim_gateway;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_keymgr') THEN
        GRANT SELECT ON am_api, am_application, am_scope, am_subscription TO apim_keymgr;
        GRANT SELECT, INSERT, UPDATE, DELETE ON am_api_key, am_application_key, am_invalidation, am_oauth_client,
            am_auth_code, am_consent, am_device_code, am_login_session, am_revocation, am_signing_key, am_token, am_usage, am_usage_batch, am_used_once
            TO apim_keymgr;
        GRANT SELECT, UPDATE ON am_feed_head TO apim_keymgr;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_portal') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON am_api, am_api_access, am_api_category, am_api_deployment, am_api_document, am_api_lifecycle_event,
            am_api_revision, am_api_thumbnail, am_application, am_application_group, am_environment, am_portal_session, am_publication_outbox,
            am_scope, am_subscription, am_workflow, am_workflow_type TO apim_portal;
        GRANT SELECT, DELETE ON am_api_key, am_application_key TO apim_portal;
        GRANT SELECT ON am_oauth_client, am_usage TO apim_portal;
        GRANT UPDATE (owner) ON am_oauth_client TO apim_portal;
        GRANT SELECT, INSERT ON am_invalidation TO apim_portal;
        GRANT SELECT, UPDATE ON am_feed_head TO apim_portal;
    END IF;
END
$$;
