# What of the gateway needs no httpd, so that unit tests can link it: what children share in memory, and the routes.
noinst_LTLIBRARIES += libgateway_shared.la libgateway_routes.la
libgateway_shared_la_SOURCES = \
	modules/mod_apim_gateway/shm_lock.c modules/mod_apim_gateway/shm_lock.h \
	modules/mod_apim_gateway/token_cache.c modules/mod_apim_gateway/token_cache.h \
	modules/mod_apim_gateway/single_flight.c modules/mod_apim_gateway/single_flight.h \
	modules/mod_apim_gateway/keymgr_gate.c modules/mod_apim_gateway/keymgr_gate.h \
	modules/mod_apim_gateway/rate_limiter.c modules/mod_apim_gateway/rate_limiter.h \
	modules/mod_apim_gateway/endpoint_health.c modules/mod_apim_gateway/endpoint_health.h \
	modules/mod_apim_gateway/usage_ring.c modules/mod_apim_gateway/usage_ring.h \
	modules/mod_apim_gateway/usage_table.c modules/mod_apim_gateway/usage_table.h \
	modules/mod_apim_gateway/usage_totals.c modules/mod_apim_gateway/usage_totals.h
libgateway_routes_la_SOURCES = \
	modules/mod_apim_gateway/route_table.c modules/mod_apim_gateway/route_table.h \
	modules/mod_apim_gateway/replica.c modules/mod_apim_gateway/replica.h \
	modules/mod_apim_gateway/policy_groups.c modules/mod_apim_gateway/policy_groups.h \
	modules/mod_apim_gateway/deny_table.c modules/mod_apim_gateway/deny_table.h \
	modules/mod_apim_gateway/cors_rules.c modules/mod_apim_gateway/cors_rules.h
libgateway_routes_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
libgateway_routes_la_LIBADD = $(LMDB_LIBS)

apim_module_LTLIBRARIES += mod_apim_gateway.la
mod_apim_gateway_la_SOURCES = \
	modules/mod_apim_gateway/mod_apim_gateway.c modules/mod_apim_gateway/gateway.h \
	modules/mod_apim_gateway/gateway_config.c modules/mod_apim_gateway/gateway_config.h \
	modules/mod_apim_gateway/gateway_sql.c modules/mod_apim_gateway/gateway_sql.h \
	modules/mod_apim_gateway/balancer_retry.c modules/mod_apim_gateway/balancer_retry.h \
	modules/mod_apim_gateway/held_answer.c modules/mod_apim_gateway/held_answer.h \
	modules/mod_apim_gateway/call.c modules/mod_apim_gateway/call.h \
	modules/mod_apim_gateway/proxy_functions.c modules/mod_apim_gateway/proxy_functions.h \
	modules/mod_apim_gateway/endpoint_group.c modules/mod_apim_gateway/endpoint_group.h \
	modules/mod_apim_gateway/assertion.c modules/mod_apim_gateway/assertion.h \
	modules/mod_apim_gateway/backend_auth.c modules/mod_apim_gateway/backend_auth.h \
	modules/mod_apim_gateway/oauth_client.c modules/mod_apim_gateway/oauth_client.h \
	modules/mod_apim_gateway/correlation_id.c modules/mod_apim_gateway/correlation_id.h \
	modules/mod_apim_gateway/cors.c modules/mod_apim_gateway/cors.h \
	modules/mod_apim_gateway/fault.c modules/mod_apim_gateway/fault.h \
	modules/mod_apim_gateway/upstream.c modules/mod_apim_gateway/upstream.h \
	modules/mod_apim_gateway/sync.c modules/mod_apim_gateway/sync.h \
	modules/mod_apim_gateway/feed_database.c modules/mod_apim_gateway/feed_http.c modules/mod_apim_gateway/feed.h \
	modules/mod_apim_gateway/usage.c modules/mod_apim_gateway/usage.h \
	modules/mod_apim_gateway/usage_spool.c modules/mod_apim_gateway/usage_spool.h \
	modules/mod_apim_gateway/gateway_metrics.c modules/mod_apim_gateway/gateway_metrics.h \
	modules/mod_apim_gateway/status.c modules/mod_apim_gateway/status.h \
	modules/mod_apim_gateway/shared_state.c modules/mod_apim_gateway/shared_state.h \
	modules/mod_apim_gateway/credentials.c modules/mod_apim_gateway/credentials.h \
	modules/mod_apim_gateway/verification.c modules/mod_apim_gateway/verification.h \
	modules/mod_apim_gateway/call_limits.c modules/mod_apim_gateway/call_limits.h \
	modules/mod_apim_gateway/authorize.c
mod_apim_gateway_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
mod_apim_gateway_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_gateway_module$$'
mod_apim_gateway_la_LIBADD = libgateway_routes.la libgateway_shared.la libapim_httpd.la libapim.la
