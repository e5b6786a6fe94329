# What needs no httpd to run, so that unit tests can link it.
noinst_LTLIBRARIES += libkeymgr_pure.la
libkeymgr_pure_la_SOURCES = \
	modules/mod_apim_keymgr/client_input.c \
	modules/mod_apim_keymgr/client_input.h \
	modules/mod_apim_keymgr/key_restrictions.c \
	modules/mod_apim_keymgr/key_restrictions.h \
	modules/mod_apim_keymgr/operation_input.c \
	modules/mod_apim_keymgr/operation_input.h \
	modules/mod_apim_keymgr/page_language.c \
	modules/mod_apim_keymgr/page_language.h \
	modules/mod_apim_keymgr/scope_table.c \
	modules/mod_apim_keymgr/token_id.c \
	modules/mod_apim_keymgr/token_id.h
libkeymgr_pure_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_keymgr

apim_module_LTLIBRARIES += mod_apim_keymgr.la
mod_apim_keymgr_la_SOURCES = \
	modules/mod_apim_keymgr/api_key_service.c \
	modules/mod_apim_keymgr/api_key_service.h \
	modules/mod_apim_keymgr/assertion.c \
	modules/mod_apim_keymgr/assertion.h \
	modules/mod_apim_keymgr/authorization_answer.c \
	modules/mod_apim_keymgr/authorization_answer.h \
	modules/mod_apim_keymgr/authorization_request.c \
	modules/mod_apim_keymgr/authorization_request.h \
	modules/mod_apim_keymgr/authorize.c \
	modules/mod_apim_keymgr/authorize.h \
	modules/mod_apim_keymgr/cleaner.c \
	modules/mod_apim_keymgr/cleaner.h \
	modules/mod_apim_keymgr/client_assertion.c \
	modules/mod_apim_keymgr/client_assertion.h \
	modules/mod_apim_keymgr/client_auth.c \
	modules/mod_apim_keymgr/client_auth.h \
	modules/mod_apim_keymgr/client_operations.c \
	modules/mod_apim_keymgr/client_operations.h \
	modules/mod_apim_keymgr/client_secrets.c \
	modules/mod_apim_keymgr/client_secrets.h \
	modules/mod_apim_keymgr/client_store.c \
	modules/mod_apim_keymgr/client_store.h \
	modules/mod_apim_keymgr/code_store.c \
	modules/mod_apim_keymgr/code_store.h \
	modules/mod_apim_keymgr/device_code.c \
	modules/mod_apim_keymgr/device_code.h \
	modules/mod_apim_keymgr/device_page.c \
	modules/mod_apim_keymgr/device_page.h \
	modules/mod_apim_keymgr/feed_service.c \
	modules/mod_apim_keymgr/feed_service.h \
	modules/mod_apim_keymgr/id_token.c \
	modules/mod_apim_keymgr/id_token.h \
	modules/mod_apim_keymgr/keymgr_config.c \
	modules/mod_apim_keymgr/keymgr_config.h \
	modules/mod_apim_keymgr/keymgr_directives.c \
	modules/mod_apim_keymgr/keymgr_directives.h \
	modules/mod_apim_keymgr/keymgr_log.h \
	modules/mod_apim_keymgr/keymgr_sql.c \
	modules/mod_apim_keymgr/keymgr_sql.h \
	modules/mod_apim_keymgr/keymgr_stats.c \
	modules/mod_apim_keymgr/keymgr_stats.h \
	modules/mod_apim_keymgr/login_guard.c \
	modules/mod_apim_keymgr/login_guard.h \
	modules/mod_apim_keymgr/login_pages.c \
	modules/mod_apim_keymgr/login_pages.h \
	modules/mod_apim_keymgr/login_service.c \
	modules/mod_apim_keymgr/login_service.h \
	modules/mod_apim_keymgr/login_session.c \
	modules/mod_apim_keymgr/login_session.h \
	modules/mod_apim_keymgr/logout.c \
	modules/mod_apim_keymgr/logout.h \
	modules/mod_apim_keymgr/mod_apim_keymgr.c \
	modules/mod_apim_keymgr/oauth_endpoints.c \
	modules/mod_apim_keymgr/oauth_endpoints.h \
	modules/mod_apim_keymgr/oauth_error.c \
	modules/mod_apim_keymgr/oauth_error.h \
	modules/mod_apim_keymgr/operations.c \
	modules/mod_apim_keymgr/operations.h \
	modules/mod_apim_keymgr/pushed_request.c \
	modules/mod_apim_keymgr/pushed_request.h \
	modules/mod_apim_keymgr/recall.c \
	modules/mod_apim_keymgr/recall.h \
	modules/mod_apim_keymgr/recall_watch.c \
	modules/mod_apim_keymgr/recall_watch.h \
	modules/mod_apim_keymgr/registrant.c \
	modules/mod_apim_keymgr/registrant.h \
	modules/mod_apim_keymgr/registration.c \
	modules/mod_apim_keymgr/registration.h \
	modules/mod_apim_keymgr/resource_target.c \
	modules/mod_apim_keymgr/resource_target.h \
	modules/mod_apim_keymgr/revocation.c \
	modules/mod_apim_keymgr/revocation.h \
	modules/mod_apim_keymgr/scope_service.c \
	modules/mod_apim_keymgr/scope_service.h \
	modules/mod_apim_keymgr/server_metadata.c \
	modules/mod_apim_keymgr/signature_cache.c \
	modules/mod_apim_keymgr/signature_cache.h \
	modules/mod_apim_keymgr/signing_keys.c \
	modules/mod_apim_keymgr/signing_keys.h \
	modules/mod_apim_keymgr/token_exchange.c \
	modules/mod_apim_keymgr/token_exchange.h \
	modules/mod_apim_keymgr/token_lookup.c \
	modules/mod_apim_keymgr/token_lookup.h \
	modules/mod_apim_keymgr/token_service.c \
	modules/mod_apim_keymgr/token_service.h \
	modules/mod_apim_keymgr/token_store.c \
	modules/mod_apim_keymgr/token_store.h \
	modules/mod_apim_keymgr/user_store.c \
	modules/mod_apim_keymgr/user_store.h \
	modules/mod_apim_keymgr/userinfo.c \
	modules/mod_apim_keymgr/userinfo.h \
	modules/mod_apim_keymgr/verify_service.c \
	modules/mod_apim_keymgr/verify_service.h \
	modules/mod_apim_keymgr/web_page.c \
	modules/mod_apim_keymgr/web_page.h
mod_apim_keymgr_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_keymgr
mod_apim_keymgr_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_keymgr_module$$'
mod_apim_keymgr_la_LIBADD = libkeymgr_pure.la libapim_httpd.la libapim.la
