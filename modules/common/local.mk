# What the roles share. libapim: logic without request_rec, unit-testable without httpd.
# libapim_httpd: the part that knows httpd (mod_dbd pools, REST requests, calls between roles).
noinst_LTLIBRARIES += libapim.la libapim_httpd.la

libapim_la_SOURCES = \
	modules/common/apim_error.c modules/common/apim_error.h \
	modules/common/apim_text.c modules/common/apim_text.h \
	modules/common/apim_siphash.c modules/common/apim_siphash.h \
	modules/common/apim_crypto.c modules/common/apim_crypto.h \
	modules/common/apim_json.c modules/common/apim_json.h \
	modules/common/apim_db.c modules/common/apim_db.h \
	modules/common/apim_seal.c modules/common/apim_seal.h \
	modules/common/apim_marks.c modules/common/apim_marks.h \
	modules/common/apim_listener.c modules/common/apim_listener.h \
	modules/common/apim_node.c modules/common/apim_node.h \
	modules/common/apim_node_sql.c modules/common/apim_node_sql.h \
	modules/common/apim_usage.c modules/common/apim_usage.h \
	modules/common/apim_usage_sql.c modules/common/apim_usage_sql.h \
	modules/common/jose/jwk.c modules/common/jose/jwk.h \
	modules/common/jose/jws.c modules/common/jose/jws.h
include modules/common/openapi/local.mk
libapim_la_LIBADD = $(APR_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(OPENSSL_LIBS) $(PQ_LIBS) $(CURL_LIBS) -lcrypt

libapim_httpd_la_SOURCES = \
	modules/common/httpd/audit.c modules/common/httpd/audit.h \
	modules/common/httpd/busy_connection.c modules/common/httpd/busy_connection.h \
	modules/common/httpd/common_config.c modules/common/httpd/common_config.h \
	modules/common/httpd/db_pool.c modules/common/httpd/db_pool.h \
	modules/common/httpd/keymgr_call.c modules/common/httpd/keymgr_call.h \
	modules/common/httpd/keymgr_http.c modules/common/httpd/keymgr_http.h \
	modules/common/httpd/multipart.c modules/common/httpd/multipart.h \
	modules/common/httpd/health.c modules/common/httpd/health.h \
	modules/common/httpd/metrics.c modules/common/httpd/metrics.h \
	modules/common/httpd/proxy_run.c modules/common/httpd/proxy_run.h \
	modules/common/httpd/presence.c modules/common/httpd/presence.h \
	modules/common/httpd/rest.c modules/common/httpd/rest.h
