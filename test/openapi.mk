# Tests of OpenAPI documents: units, the replay of the fuzzers' seeds, and the fuzzers themselves (make fuzz).
OPENAPI_UNIT_TESTS = test/unit/test_document test/unit/test_openapi test/unit/test_openapi_write test/unit/test_fetch
if HAVE_CMOCKA
check_PROGRAMS += $(OPENAPI_UNIT_TESTS)
TESTS += $(OPENAPI_UNIT_TESTS)
endif

test_unit_test_document_SOURCES = test/unit/test_document.c
test_unit_test_document_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_document_LDADD = $(UNIT_LIBS)

test_unit_test_openapi_SOURCES = test/unit/test_openapi.c
test_unit_test_openapi_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_openapi_LDADD = $(UNIT_LIBS)

test_unit_test_openapi_write_SOURCES = test/unit/test_openapi_write.c
test_unit_test_openapi_write_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_openapi_write_LDADD = $(UNIT_LIBS)

test_unit_test_fetch_SOURCES = test/unit/test_fetch.c
test_unit_test_fetch_CPPFLAGS = $(UNIT_CPPFLAGS)
test_unit_test_fetch_LDADD = $(UNIT_LIBS)
