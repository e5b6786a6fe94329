# Unit tests: one cmocka program per object, linked to the convenience libraries, no httpd needed.
if HAVE_CMOCKA
UNIT_TESTS = test/unit/test_text test/unit/test_db test/unit/test_multipart
UNIT_TESTS += test/unit/test_token_cache test/unit/test_rate_limiter
UNIT_TESTS += test/unit/test_jose test/unit/test_keymgr
UNIT_TESTS += test/unit/test_routes test/unit/test_usage
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libapim.la $(CMOCKA_LIBS) $(APR_LIBS) $(JANSSON_LIBS)

test_unit_test_text_SOURCES = test/unit/test_text.c
test_unit_test_text_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_text_LDADD = $(UNIT_LIBS)

test_unit_test_db_SOURCES = test/unit/test_db.c
test_unit_test_db_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_db_LDADD = $(UNIT_LIBS)

test_unit_test_multipart_SOURCES = test/unit/test_multipart.c
test_unit_test_multipart_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_multipart_LDADD = libapim_httpd.la $(UNIT_LIBS)

test_unit_test_token_cache_SOURCES = test/unit/test_token_cache.c test/unit/shared.h
test_unit_test_token_cache_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
test_unit_test_token_cache_LDADD = libgateway_shared.la $(UNIT_LIBS) $(OPENSSL_LIBS)

test_unit_test_rate_limiter_SOURCES = test/unit/test_rate_limiter.c test/unit/shared.h
test_unit_test_rate_limiter_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
test_unit_test_rate_limiter_LDADD = libgateway_shared.la $(UNIT_LIBS)

test_unit_test_usage_SOURCES = test/unit/test_usage.c test/unit/shared.h
test_unit_test_usage_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
test_unit_test_usage_LDADD = libgateway_shared.la $(UNIT_LIBS)

test_unit_test_jose_SOURCES = test/unit/test_jose.c
test_unit_test_jose_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_jose_LDADD = $(UNIT_LIBS) $(OPENSSL_LIBS)

test_unit_test_keymgr_SOURCES = test/unit/test_keymgr.c
test_unit_test_keymgr_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_keymgr
test_unit_test_keymgr_LDADD = libkeymgr_pure.la $(UNIT_LIBS) $(OPENSSL_LIBS)
test_unit_test_routes_SOURCES = test/unit/test_routes.c
test_unit_test_routes_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_gateway
test_unit_test_routes_LDADD = libgateway_routes.la $(UNIT_LIBS)

# The integration tests need a running httpd and are started by ./check.
EXTRA_DIST += test/unit/unit.h check .ci/run .clang-format .clang-tidy docs test/README.md test/pytest.ini test/integration test/browser test/lint test/dist
dist-hook: dist-pages
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +

# Builds the unit tests without running them.
.PHONY: check-programs
check-programs: $(check_PROGRAMS)

include test/openapi.mk
include test/portal.mk
