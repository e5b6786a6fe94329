# Unit tests of the portal's pure parts.
if HAVE_CMOCKA
check_PROGRAMS += test/unit/test_publisher
TESTS += test/unit/test_publisher
endif
test_unit_test_publisher_SOURCES = test/unit/test_publisher.c
test_unit_test_publisher_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(top_srcdir)/modules/mod_apim_portal
test_unit_test_publisher_LDADD = libportal_pure.la $(UNIT_LIBS)
