apim_module_LTLIBRARIES += mod_apim_gateway.la
mod_apim_gateway_la_SOURCES = \
	modules/mod_apim_gateway/mod_apim_gateway.c modules/mod_apim_gateway/gateway.h \
	modules/mod_apim_gateway/authorize.c
mod_apim_gateway_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
mod_apim_gateway_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_gateway_module$$'
mod_apim_gateway_la_LIBADD = libapim_httpd.la libapim.la
