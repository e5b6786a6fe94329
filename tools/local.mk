# apimctl: migrations, users, small jobs an administrator has.
bin_PROGRAMS += apimctl
apimctl_SOURCES = tools/apimctl.c tools/ctl.h tools/ctl_database.c tools/ctl_migrate.c tools/ctl_nodes.c tools/ctl_user.c \
	tools/apimctl_sql.c tools/apimctl_sql.h
apimctl_CPPFLAGS = $(AM_CPPFLAGS) -DAPIM_DEFAULT_SQL_DIR='"$(pkgdatadir)/sql"'
apimctl_LDADD = libapim.la $(APR_LIBS) $(JANSSON_LIBS)

# apim-openapi: what the Publisher would say of an OpenAPI document.
bin_PROGRAMS += apim-openapi
apim_openapi_SOURCES = tools/apim-openapi.c
apim_openapi_LDADD = libapim.la $(APR_LIBS) $(JANSSON_LIBS)
