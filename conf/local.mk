# What a2enmod reads, for Debian's layout of /etc/apache2.
LOAD_FILES = conf/debian/apim_gateway.load conf/debian/apim_keymgr.load conf/debian/apim_portal.load
EXTRA_DIST += $(LOAD_FILES:=.in)
CLEANFILES += $(LOAD_FILES)
$(LOAD_FILES): Makefile
	$(AM_V_GEN)$(MKDIR_P) conf/debian && sed 's|@moduledir[@]|$(apim_moduledir)|' $(top_srcdir)/$@.in > $@
all-local: $(LOAD_FILES) $(PAGES_MADE)
confdir = $(pkgdatadir)/conf/debian
nodist_conf_DATA = $(LOAD_FILES)
if INSTALL_LOAD
apim_load_DATA = $(LOAD_FILES)
endif

# Configurations to start from; ./quickstart uses them where they are.
nobase_dist_pkgdata_DATA += conf/all-in-one.conf conf/mpm.conf conf/gateway.conf conf/keymgr.conf conf/portal.conf \
	conf/lb-external.conf conf/lb-internal.conf conf/tls.conf conf/tls-proxy.conf \
	conf/members/gateways.conf conf/members/portals.conf conf/members/keymgrs.conf conf/prometheus/apim-alerts.yml
EXTRA_DIST += conf/quickstart/httpd.conf conf/quickstart/backend.conf conf/quickstart/modules.conf conf/quickstart/node.conf conf/quickstart/cluster.sh
