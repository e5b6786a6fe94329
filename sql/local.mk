# Migrations, installed with their folders: sql/<database>/<dialect>/NNNN_<name>.sql. A new migration is named here.
SQL_FILES = \
	sql/user_manager/grants.sql \
	sql/api_manager/grants.sql \
	sql/registry/grants.sql \
	sql/user_manager/postgresql/0001_users.sql \
	sql/user_manager/postgresql/0002_user_names.sql \
	sql/user_manager/sqlite/0001_users.sql \
	sql/user_manager/sqlite/0002_user_names.sql \
	sql/api_manager/postgresql/0001_api_manager.sql \
	sql/api_manager/postgresql/0002_refresh_scopes.sql \
	sql/api_manager/postgresql/0003_feed_notify.sql \
	sql/api_manager/postgresql/0004_feed_origin.sql \
	sql/api_manager/postgresql/0005_authorization.sql \
	sql/api_manager/postgresql/0006_used_once.sql \
	sql/api_manager/postgresql/0007_portal_sessions.sql \
	sql/api_manager/postgresql/0008_usage.sql \
	sql/api_manager/postgresql/0009_attachments.sql \
	sql/api_manager/postgresql/0010_categories.sql \
	sql/api_manager/postgresql/0011_device_codes.sql \
	sql/api_manager/postgresql/0012_token_end.sql \
	sql/api_manager/sqlite/0001_api_manager.sql \
	sql/api_manager/sqlite/0002_refresh_scopes.sql \
	sql/api_manager/sqlite/0003_feed_notify.sql \
	sql/api_manager/sqlite/0004_feed_origin.sql \
	sql/api_manager/sqlite/0005_authorization.sql \
	sql/api_manager/sqlite/0006_used_once.sql \
	sql/api_manager/sqlite/0007_portal_sessions.sql \
	sql/api_manager/sqlite/0008_usage.sql \
	sql/api_manager/sqlite/0009_attachments.sql \
	sql/api_manager/sqlite/0010_categories.sql \
	sql/api_manager/sqlite/0011_device_codes.sql \
	sql/api_manager/sqlite/0012_token_end.sql \
	sql/registry/postgresql/0001_registry.sql \
	sql/registry/postgresql/0002_policies.sql \
	sql/registry/postgresql/0003_nodes.sql \
	sql/registry/postgresql/0004_deny_policies.sql \
	sql/registry/postgresql/0005_feed_origin.sql \
	sql/registry/postgresql/0006_feedback.sql \
	sql/registry/postgresql/0007_search.sql \
	sql/registry/sqlite/0001_registry.sql \
	sql/registry/sqlite/0002_policies.sql \
	sql/registry/sqlite/0003_nodes.sql \
	sql/registry/sqlite/0004_deny_policies.sql \
	sql/registry/sqlite/0005_feed_origin.sql \
	sql/registry/sqlite/0006_feedback.sql \
	sql/registry/sqlite/0007_search.sql
nobase_dist_pkgdata_DATA += $(SQL_FILES)
