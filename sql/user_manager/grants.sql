-- What the nodes of a cluster may do in the User Manager database. apimctl migrate runs this after the migrations, on
-- PostgreSQL, for those of the three roles that exist; it may be run any number of times.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_keymgr') THEN
        GRANT SELECT ON um_user, um_user_role, um_role TO apim_keymgr;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'apim_portal') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON um_user, um_user_role, um_role TO apim_portal;
    END IF;
END
$$;
