// SPDX-License-Identifier: Apache-2.0
import { has, session } from './lib/api'
import { NeedLogIn, run } from './lib/shell'
import { ApiPage } from './store/api'
import { Application } from './store/application'
import { Applications } from './store/applications'
import { Catalogue } from './store/catalogue'
import { Password, SignUp } from './store/account'
import { t } from './store/words'

run({
  id: 'store',
  title: () => t('part.store'),
  open: true,
  allowed: () => true,
  places: [
    { path: '/store/', label: () => t('apis') },
    { path: '/store/applications', label: () => t('applications'), when: () => !session.value?.username || has('apim:subscribe') },
  ],
  routes: [
    { path: '/', view: () => <Catalogue /> },
    { path: '/apis/:id/:tab?', view: (p) => <ApiPage key={p.id} id={p.id} tab={p.tab ?? ''} /> },
    { path: '/applications', view: () => <NeedLogIn><Applications /></NeedLogIn> },
    { path: '/applications/:id/:tab?', view: (p) => <NeedLogIn><Application key={p.id} id={p.id} tab={p.tab ?? ''} /></NeedLogIn> },
    { path: '/sign-up', view: () => <SignUp /> },
    { path: '/password', view: () => <Password /> },
  ],
})
