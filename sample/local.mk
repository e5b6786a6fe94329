# The back end that ./quickstart puts behind its gateway. Built with the rest, never installed.
noinst_LTLIBRARIES += mod_apim_sample.la
mod_apim_sample_la_SOURCES = sample/mod_apim_sample.c sample/bookings.c sample/bookings.h sample/huts.c sample/huts.h
mod_apim_sample_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/sample
# -rpath makes libtool link a module that can be loaded although it has no place to be installed to.
mod_apim_sample_la_LDFLAGS = $(MODULE_LDFLAGS) -rpath /nowhere -export-symbols-regex '^apim_sample_module$$'
mod_apim_sample_la_LIBADD = libapim_httpd.la libapim.la
EXTRA_DIST += sample/openapi.json quickstart
