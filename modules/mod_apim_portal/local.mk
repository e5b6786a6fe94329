apim_module_LTLIBRARIES += mod_apim_portal.la
# One line a list, so that the three APIs grow without conflicts.
PORTAL_FRAME = \
	modules/mod_apim_portal/portal.h \
	modules/mod_apim_portal/portal_auth.c \
	modules/mod_apim_portal/portal_config.c \
	modules/mod_apim_portal/portal_db.c \
	modules/mod_apim_portal/portal_index.c \
	modules/mod_apim_portal/mod_apim_portal.c
PORTAL_PUBLISHER = \
	modules/mod_apim_portal/publisher_routes.c
PORTAL_STORE = \
	modules/mod_apim_portal/store_routes.c
PORTAL_ADMIN = \
	modules/mod_apim_portal/admin_routes.c
mod_apim_portal_la_SOURCES = $(PORTAL_FRAME) $(PORTAL_PUBLISHER) $(PORTAL_STORE) $(PORTAL_ADMIN)
mod_apim_portal_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_portal
mod_apim_portal_la_LDFLAGS = $(MODULE_LDFLAGS) -export-symbols-regex '^apim_portal_module$$'
mod_apim_portal_la_LIBADD = libapim_httpd.la libapim.la
