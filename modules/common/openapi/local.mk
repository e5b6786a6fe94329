# OpenAPI documents: read, checked, written back, fetched.
libapim_la_SOURCES += \
	modules/common/openapi/document.c modules/common/openapi/document.h \
	modules/common/openapi/json_text.c modules/common/openapi/yaml.c \
	modules/common/openapi/openapi.c modules/common/openapi/openapi.h \
	modules/common/openapi/check.c modules/common/openapi/check.h \
	modules/common/openapi/check_paths.c modules/common/openapi/check_refs.c \
	modules/common/openapi/template.c modules/common/openapi/template.h \
	modules/common/openapi/security.c modules/common/openapi/servers.c \
	modules/common/openapi/write.c modules/common/openapi/store.c \
	modules/common/openapi/fetch.c modules/common/openapi/fetch.h
