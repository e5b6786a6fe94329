# libgateway_shared: what children share in memory; no httpd needed, so unit-testable.
noinst_LTLIBRARIES += libgateway_shared.la
libgateway_shared_la_SOURCES = \
	modules/mod_apim_gateway/shm_lock.c modules/mod_apim_gateway/shm_lock.h \
	modules/mod_apim_gateway/stale_marks.c modules/mod_apim_gateway/stale_marks.h \
	modules/mod_apim_gateway/token_cache.c modules/mod_apim_gateway/token_cache.h \
	modules/mod_apim_gateway/single_flight.c modules/mod_apim_gateway/single_flight.h \
	modules/mod_apim_gateway/rate_limiter.c modules/mod_apim_gateway/rate_limiter.h

apim_module_LTLIBRARIES += mod_apim_gateway.la
mod_apim_gateway_la_SOURCES = \
	modules/mod_apim_gateway/mod_apim_gateway.c modules/mod_apim_gateway/gateway.h \
	modules/mod_apim_gateway/authorize.c
mod_apim_gateway_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
mod_apim_gateway_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_gateway_module$$'
mod_apim_gateway_la_LIBADD = libgateway_shared.la libapim_httpd.la libapim.la
