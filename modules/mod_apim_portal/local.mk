apim_module_LTLIBRARIES += mod_apim_portal.la
# One line a list, so that the three APIs grow without conflicts.
PORTAL_FRAME = \
	modules/mod_apim_portal/portal.h \
	modules/mod_apim_portal/portal_auth.c \
	modules/mod_apim_portal/portal_config.c \
	modules/mod_apim_portal/portal_db.c \
	modules/mod_apim_portal/portal_index.c \
	modules/mod_apim_portal/nodes.c modules/mod_apim_portal/nodes.h \
	modules/mod_apim_portal/usage_resource.c modules/mod_apim_portal/usage_resource.h \
	modules/mod_apim_portal/usage_sql.c modules/mod_apim_portal/usage_sql.h \
	modules/mod_apim_portal/nodes_sql.c modules/mod_apim_portal/nodes_sql.h \
	modules/mod_apim_portal/openapi_resource.c modules/mod_apim_portal/openapi_resource.h \
	modules/mod_apim_portal/offered_grants.c modules/mod_apim_portal/offered_grants.h \
	modules/mod_apim_portal/pages.c modules/mod_apim_portal/pages.h \
	modules/mod_apim_portal/workflow_sql.c modules/mod_apim_portal/workflow_sql.h \
	modules/mod_apim_portal/workflow_store.c modules/mod_apim_portal/workflow_store.h \
	modules/mod_apim_portal/workflow_types.c modules/mod_apim_portal/workflow_types.h \
	modules/mod_apim_portal/workflow_callout.c modules/mod_apim_portal/workflow_callout.h \
	modules/mod_apim_portal/workflow_resource.c \
	modules/mod_apim_portal/login_resource.c modules/mod_apim_portal/login_resource.h \
	modules/mod_apim_portal/session_resource.c \
	modules/mod_apim_portal/session_sql.c modules/mod_apim_portal/session_sql.h \
	modules/mod_apim_portal/session_store.c modules/mod_apim_portal/session_store.h \
	modules/mod_apim_portal/mod_apim_portal.c
PORTAL_PUBLISHER = \
	modules/mod_apim_portal/publisher_sql.c modules/mod_apim_portal/publisher_sql.h \
	modules/mod_apim_portal/api_store.c modules/mod_apim_portal/api_store.h \
	modules/mod_apim_portal/access_control.c modules/mod_apim_portal/access_control.h \
	modules/mod_apim_portal/revision_store.c modules/mod_apim_portal/revision_store.h \
	modules/mod_apim_portal/publication.c modules/mod_apim_portal/publication.h \
	modules/mod_apim_portal/publisher.h \
	modules/mod_apim_portal/publication_watchdog.c \
	modules/mod_apim_portal/references.c \
	modules/mod_apim_portal/api_resource.c \
	modules/mod_apim_portal/definition_resource.c \
	modules/mod_apim_portal/endpoint_resource.c \
	modules/mod_apim_portal/archive_resource.h \
	modules/mod_apim_portal/project.c \
	modules/mod_apim_portal/api_export.c \
	modules/mod_apim_portal/api_import.c \
	modules/mod_apim_portal/lifecycle_resource.c \
	modules/mod_apim_portal/revision_resource.c \
	modules/mod_apim_portal/subscription_resource.c \
	modules/mod_apim_portal/policy_resource.c \
	modules/mod_apim_portal/scope_resource.c \
	modules/mod_apim_portal/settings_resource.c \
	modules/mod_apim_portal/attachment_sql.c modules/mod_apim_portal/attachment_sql.h \
	modules/mod_apim_portal/document_store.c modules/mod_apim_portal/document_store.h \
	modules/mod_apim_portal/document_resource.c \
	modules/mod_apim_portal/category_sql.c modules/mod_apim_portal/category_sql.h \
	modules/mod_apim_portal/category_resource.c \
	modules/mod_apim_portal/key_manager_resource.c \
	modules/mod_apim_portal/feedback_sql.c modules/mod_apim_portal/feedback_sql.h \
	modules/mod_apim_portal/comment_store.c modules/mod_apim_portal/comment_store.h \
	modules/mod_apim_portal/comment_resource.c \
	modules/mod_apim_portal/thumbnail_resource.c \
	modules/mod_apim_portal/publisher_common.c \
	modules/mod_apim_portal/publisher_routes.c
# Logic without httpd and databases: unit tests link it too.
noinst_LTLIBRARIES += libportal_pure.la
libportal_pure_la_SOURCES = \
	modules/mod_apim_portal/problems.c modules/mod_apim_portal/problems.h \
	modules/mod_apim_portal/zip_file.c modules/mod_apim_portal/zip_file.h \
	modules/mod_apim_portal/yaml_text.c modules/mod_apim_portal/yaml_text.h \
	modules/mod_apim_portal/image_type.c modules/mod_apim_portal/image_type.h \
	modules/mod_apim_portal/lifecycle.c modules/mod_apim_portal/lifecycle.h \
	modules/mod_apim_portal/search_query.c modules/mod_apim_portal/search_query.h \
	modules/mod_apim_portal/api_document.c modules/mod_apim_portal/api_document.h \
	modules/mod_apim_portal/endpoint_secrets.c modules/mod_apim_portal/endpoint_secrets.h \
	modules/mod_apim_portal/traffic_document.c modules/mod_apim_portal/traffic_document.h \
	modules/mod_apim_portal/artifact.c modules/mod_apim_portal/artifact.h
libportal_pure_la_LIBADD = $(ZIP_LIBS) $(YAML_LIBS)
libportal_pure_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_portal
PORTAL_STORE = \
	modules/mod_apim_portal/store.h \
	modules/mod_apim_portal/store_sql.c \
	modules/mod_apim_portal/store_sql.h \
	modules/mod_apim_portal/store_catalogue.c \
	modules/mod_apim_portal/store_attachments.c \
	modules/mod_apim_portal/store_comments.c \
	modules/mod_apim_portal/store_ratings.c \
	modules/mod_apim_portal/store_settings.c \
	modules/mod_apim_portal/store_applications.c \
	modules/mod_apim_portal/store_subscriptions.c \
	modules/mod_apim_portal/store_keys.c \
	modules/mod_apim_portal/store_secrets.c \
	modules/mod_apim_portal/store_api_keys.c \
	modules/mod_apim_portal/store_routes.c
PORTAL_ADMIN = \
	modules/mod_apim_portal/admin.h \
	modules/mod_apim_portal/admin_sql.c \
	modules/mod_apim_portal/admin_sql.h \
	modules/mod_apim_portal/admin_policies.c \
	modules/mod_apim_portal/admin_deny.c \
	modules/mod_apim_portal/admin_conditions.c \
	modules/mod_apim_portal/admin_environments.c \
	modules/mod_apim_portal/admin_applications.c \
	modules/mod_apim_portal/admin_users.c \
	modules/mod_apim_portal/user_store.c \
	modules/mod_apim_portal/signup_resource.c \
	modules/mod_apim_portal/admin_ownership.c \
	modules/mod_apim_portal/admin_routes.c
mod_apim_portal_la_SOURCES = $(PORTAL_FRAME) $(PORTAL_PUBLISHER) $(PORTAL_STORE) $(PORTAL_ADMIN)
nodist_mod_apim_portal_la_SOURCES = modules/mod_apim_portal/openapi_text.c
mod_apim_portal_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_portal -DAPIM_PAGES_DIR='"$(pagesdir)"'

mod_apim_portal_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_portal_module$$'
mod_apim_portal_la_LIBADD = libportal_pure.la libapim_httpd.la libapim.la

# The OpenAPI documents that the portal serves: what several of them share is written once, at their end.
OPENAPI_DIR = modules/mod_apim_portal/openapi
OPENAPI_FILES = \
	$(OPENAPI_DIR)/publisher.yaml \
	$(OPENAPI_DIR)/store.yaml \
	$(OPENAPI_DIR)/admin.yaml \
	$(OPENAPI_DIR)/catalogue.yaml \
	$(OPENAPI_DIR)/common.yaml
EXTRA_DIST += $(OPENAPI_FILES)
CLEANFILES += modules/mod_apim_portal/openapi_text.c
modules/mod_apim_portal/openapi_text.c: $(OPENAPI_FILES) modules/mod_apim_portal/local.mk
	@$(MKDIR_P) modules/mod_apim_portal
	@echo "  GEN      $@"
	@d=$(top_srcdir)/$(OPENAPI_DIR); for one in "publisher catalogue" "store catalogue" "admin"; do \
	    name=$${one%% *}; rest=$${one#$$name}; files=$$d/$$name.yaml; \
	    for part in $$rest common; do files="$$files $$d/$$part.yaml"; done; \
	    echo "extern const unsigned char po_openapi_$$name[];"; echo "const unsigned char po_openapi_$$name[] = {"; \
	    cat $$files | od -An -v -tu1 | sed 's/[0-9][0-9]*/&,/g'; echo "0};"; \
	done > $@.new && mv $@.new $@
