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

# The fuzz target over its seeds. make fuzz builds it with clang's libFuzzer and runs it for FUZZ_SECONDS.
check_PROGRAMS += test/fuzz/replay_openapi
TESTS += test/fuzz/replay_openapi
test_fuzz_replay_openapi_SOURCES = test/fuzz/fuzz_openapi.c test/fuzz/replay.c
test_fuzz_replay_openapi_LDADD = libapim.la $(APR_LIBS) $(JANSSON_LIBS)

FUZZ_CC = clang
FUZZ_CFLAGS = -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_SECONDS = 60
FUZZ_SOURCES = test/fuzz/fuzz_openapi.c modules/common/apim_error.c modules/common/apim_text.c modules/common/apim_json.c \
	modules/common/openapi/document.c modules/common/openapi/json_text.c modules/common/openapi/yaml.c \
	modules/common/openapi/openapi.c modules/common/openapi/check.c modules/common/openapi/check_paths.c \
	modules/common/openapi/check_refs.c modules/common/openapi/template.c modules/common/openapi/security.c \
	modules/common/openapi/servers.c modules/common/openapi/write.c modules/common/openapi/store.c \
	modules/common/openapi/fetch.c
.PHONY: fuzz
fuzz:
	$(MKDIR_P) test/fuzz/found
	cd $(top_srcdir) && $(FUZZ_CC) $(FUZZ_CFLAGS) -std=gnu11 $(DEFS) -I$(abs_builddir) $(AM_CPPFLAGS_FUZZ) $(FUZZ_SOURCES) \
		-o $(abs_builddir)/test/fuzz/fuzz_openapi $(APR_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(CURL_LIBS) $(LIBS)
	ASAN_OPTIONS=detect_leaks=1 test/fuzz/fuzz_openapi -max_total_time=$(FUZZ_SECONDS) -max_len=20000 -timeout=20 \
		-artifact_prefix=test/fuzz/ -dict=$(top_srcdir)/test/fuzz/openapi.dict test/fuzz/found $(top_srcdir)/test/fuzz/seeds
AM_CPPFLAGS_FUZZ = -Imodules/common $(SYSTEM_INCLUDES)
CLEANFILES += test/fuzz/fuzz_openapi
clean-local:
	-rm -rf test/fuzz/found

EXTRA_DIST += test/fuzz/seeds test/fuzz/openapi.dict test/npm/package.json test/npm/package-lock.json test/npm/relying_party.mjs test/npm/device.mjs test/corpus/run
