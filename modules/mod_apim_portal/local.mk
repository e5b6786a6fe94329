apim_module_LTLIBRARIES += mod_apim_portal.la
mod_apim_portal_la_SOURCES = \
	modules/mod_apim_portal/mod_apim_portal.c
mod_apim_portal_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_portal
mod_apim_portal_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_portal_module$$'
mod_apim_portal_la_LIBADD = libapim_httpd.la libapim.la
