// SPDX-License-Identifier: Apache-2.0
import { has } from './lib/api'
import { t } from './lib/i18n'
import { run } from './lib/shell'
import { ApiPage } from './publisher/api'
import { Create } from './publisher/create'
import { ApiList } from './publisher/list'
import { SharedScopes } from './publisher/shared_scopes'
import { p } from './publisher/words'

run({
  id: 'publisher',
  title: () => t('part.publisher'),
  open: false,
  allowed: () => has('apim:api_view', 'apim:api_create', 'apim:api_publish', 'apim:api_manage', 'apim:admin'),
  places: [
    { path: '/publisher/', label: () => p('apis') },
    { path: '/publisher/scopes', label: () => p('shared.scopes'), when: () => has('apim:shared_scope_manage', 'apim:admin') },
  ],
  routes: [
    { path: '/', view: () => <ApiList /> },
    { path: '/apis', view: () => <ApiList /> },
    { path: '/create/:how?', view: (r) => <Create how={r.how ?? ''} /> },
    { path: '/apis/:id/:tab?', view: (r) => <ApiPage key={r.id} id={r.id} tab={r.tab ?? ''} /> },
    { path: '/scopes', view: () => <SharedScopes /> },
  ],
})
