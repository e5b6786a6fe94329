# The web pages: TypeScript, bundled by esbuild (npm, by lock file) into pages/ of the build directory. A tarball has them
# in dist/ and needs neither Node nor network.
pagesdir = $(pkgdatadir)/pages
PAGES_DIR = modules/mod_apim_portal/web
PAGES_SOURCES = \
	$(PAGES_DIR)/package.json $(PAGES_DIR)/package-lock.json $(PAGES_DIR)/tsconfig.json $(PAGES_DIR)/build.mjs \
	$(PAGES_DIR)/src/icon.svg \
	$(PAGES_DIR)/src/style.css \
	$(PAGES_DIR)/src/lib/api.ts \
	$(PAGES_DIR)/src/lib/i18n.ts \
	$(PAGES_DIR)/src/lib/openapi.ts \
	$(PAGES_DIR)/src/lib/router.tsx \
	$(PAGES_DIR)/src/lib/shell.tsx \
	$(PAGES_DIR)/src/lib/ui.tsx \
	$(PAGES_DIR)/src/messages/en/common.ts \
	$(PAGES_DIR)/src/messages/de/common.ts \
	$(PAGES_DIR)/src/messages/en/store.ts \
	$(PAGES_DIR)/src/messages/de/store.ts \
	$(PAGES_DIR)/src/admin.tsx \
	$(PAGES_DIR)/src/publisher.tsx \
	$(PAGES_DIR)/src/store.tsx \
	$(PAGES_DIR)/src/store/account.tsx \
	$(PAGES_DIR)/src/store/api.tsx \
	$(PAGES_DIR)/src/store/api_keys.tsx \
	$(PAGES_DIR)/src/store/application.tsx \
	$(PAGES_DIR)/src/store/applications.tsx \
	$(PAGES_DIR)/src/store/catalogue.tsx \
	$(PAGES_DIR)/src/store/console.tsx \
	$(PAGES_DIR)/src/store/documents.tsx \
	$(PAGES_DIR)/src/store/feedback.tsx \
	$(PAGES_DIR)/src/store/thumbnail.tsx \
	$(PAGES_DIR)/src/lib/markdown.tsx \
	$(PAGES_DIR)/src/store/keys.tsx \
	$(PAGES_DIR)/src/store/operations.tsx \
	$(PAGES_DIR)/src/store/snippets.ts \
	$(PAGES_DIR)/src/store/subscribe.tsx \
	$(PAGES_DIR)/src/store/subscriptions.tsx \
	$(PAGES_DIR)/src/store/types.ts \
	$(PAGES_DIR)/src/store/words.ts
# The Publisher and the administration.
PAGES_SOURCES += \
	$(PAGES_DIR)/src/admin.tsx \
	$(PAGES_DIR)/src/admin/applications.tsx \
	$(PAGES_DIR)/src/admin/approvals.tsx \
	$(PAGES_DIR)/src/admin/categories.tsx \
	$(PAGES_DIR)/src/admin/deny.tsx \
	$(PAGES_DIR)/src/admin/environments.tsx \
	$(PAGES_DIR)/src/admin/nodes.tsx \
	$(PAGES_DIR)/src/admin/policies.tsx \
	$(PAGES_DIR)/src/admin/roles.tsx \
	$(PAGES_DIR)/src/admin/settings.tsx \
	$(PAGES_DIR)/src/admin/users.tsx \
	$(PAGES_DIR)/src/admin/words.ts \
	$(PAGES_DIR)/src/manage.css \
	$(PAGES_DIR)/src/manage/parts.tsx \
	$(PAGES_DIR)/src/manage/tagged.ts \
	$(PAGES_DIR)/src/manage/words.ts \
	$(PAGES_DIR)/src/messages/de/admin.ts \
	$(PAGES_DIR)/src/messages/de/manage.ts \
	$(PAGES_DIR)/src/messages/de/publisher.ts \
	$(PAGES_DIR)/src/messages/en/admin.ts \
	$(PAGES_DIR)/src/messages/en/manage.ts \
	$(PAGES_DIR)/src/messages/en/publisher.ts \
	$(PAGES_DIR)/src/publisher.tsx \
	$(PAGES_DIR)/src/publisher/api.tsx \
	$(PAGES_DIR)/src/publisher/basics.tsx \
	$(PAGES_DIR)/src/publisher/create.tsx \
	$(PAGES_DIR)/src/publisher/definition.tsx \
	$(PAGES_DIR)/src/publisher/diagram.tsx \
	$(PAGES_DIR)/src/publisher/documents.tsx \
	$(PAGES_DIR)/src/publisher/draft.tsx \
	$(PAGES_DIR)/src/publisher/endpoints.tsx \
	$(PAGES_DIR)/src/publisher/lifecycle.tsx \
	$(PAGES_DIR)/src/publisher/list.tsx \
	$(PAGES_DIR)/src/publisher/overview.tsx \
	$(PAGES_DIR)/src/publisher/picture.tsx \
	$(PAGES_DIR)/src/publisher/resources.tsx \
	$(PAGES_DIR)/src/publisher/revisions.tsx \
	$(PAGES_DIR)/src/publisher/runtime.tsx \
	$(PAGES_DIR)/src/publisher/scopes.tsx \
	$(PAGES_DIR)/src/publisher/shared_scopes.tsx \
	$(PAGES_DIR)/src/publisher/source.tsx \
	$(PAGES_DIR)/src/publisher/statistics.tsx \
	$(PAGES_DIR)/src/publisher/subscriptions.tsx \
	$(PAGES_DIR)/src/publisher/types.ts \
	$(PAGES_DIR)/src/publisher/version.tsx \
	$(PAGES_DIR)/src/publisher/words.ts
EXTRA_DIST += $(PAGES_SOURCES)

if WEB_BUILD
PAGES = pages
PAGES_MADE = pages/store.html
web-build/.installed: $(PAGES_DIR)/package-lock.json
	@$(MKDIR_P) web-build
	@cp $(top_srcdir)/$(PAGES_DIR)/package.json $(top_srcdir)/$(PAGES_DIR)/package-lock.json web-build/
	@echo "  NPM      what the web pages are made with"
	@cd web-build && $(NPM) ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null || { \
	    echo "npm could not fetch what the web pages are made with (is the registry within reach?)." >&2; \
	    echo "To build the modules alone: configure --without-web" >&2; exit 1; }
	@touch $@
pages/store.html: web-build/.installed $(PAGES_SOURCES)
	@echo "  WEB      pages"
	@$(NODE) $(top_srcdir)/$(PAGES_DIR)/build.mjs web-build/node_modules pages
CLEAN_PAGES = clean-pages
clean-pages:
	rm -rf pages web-build
else
PAGES_MADE =
PAGES = $(top_srcdir)/$(PAGES_DIR)/dist
endif

if WEB
INSTALL_HOOKS += install-pages
UNINSTALL_HOOKS += uninstall-pages
install-pages:
	$(MKDIR_P) "$(DESTDIR)$(pagesdir)"
	$(INSTALL_DATA) $(PAGES)/* "$(DESTDIR)$(pagesdir)"
uninstall-pages:
	rm -rf "$(DESTDIR)$(pagesdir)"
dist-pages: $(PAGES_MADE)
	$(MKDIR_P) "$(distdir)/$(PAGES_DIR)/dist"
	cp $(PAGES)/* "$(distdir)/$(PAGES_DIR)/dist"
else
dist-pages:
	@echo "The tarball needs the web pages: install nodejs and npm, and configure without --without-web." >&2; exit 1
endif
.PHONY: install-pages uninstall-pages dist-pages clean-pages
