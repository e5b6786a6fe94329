apim_module_LTLIBRARIES += mod_apim_keymgr.la
mod_apim_keymgr_la_SOURCES = \
	modules/mod_apim_keymgr/mod_apim_keymgr.c
mod_apim_keymgr_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_keymgr
mod_apim_keymgr_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_keymgr_module$$'
mod_apim_keymgr_la_LIBADD = libapim_httpd.la libapim.la
