// SPDX-License-Identifier: Apache-2.0
import { has } from './lib/api'
import { t } from './lib/i18n'
import { run } from './lib/shell'
import { Applications } from './admin/applications'
import { Approvals } from './admin/approvals'
import { Categories } from './admin/categories'
import { DenyPolicies } from './admin/deny'
import { Environments } from './admin/environments'
import { Nodes } from './admin/nodes'
import { Policies } from './admin/policies'
import { Roles } from './admin/roles'
import { Settings } from './admin/settings'
import { Users } from './admin/users'
import { a } from './admin/words'

const admin = () => has('apim:admin')
const nodes = () => has('apim:admin', 'apim:environment_manage', 'apim:environment_read')
const tiers = () => has('apim:admin', 'apim:admin_tier_view', 'apim:admin_tier_manage')
const categories = () => has('apim:admin', 'apim:api_category')
const approvals = () => has('apim:admin', 'apim:api_workflow_view', 'apim:api_workflow_approve')
const owners = () => has('apim:admin', 'apim:app_owner_change')
const deny = () => has('apim:admin', 'apim:bl_view', 'apim:bl_manage')

run({
  id: 'admin',
  title: () => t('part.admin'),
  open: false,
  allowed: () => admin() || nodes() || tiers() || deny() || categories() || approvals() || owners(),
  places: [
    { path: '/admin/nodes', label: () => a('nodes'), when: nodes },
    { path: '/admin/approvals', label: () => a('approvals'), when: approvals },
    { path: '/admin/users', label: () => a('users'), when: admin },
    { path: '/admin/roles', label: () => a('roles'), when: admin },
    { path: '/admin/applications', label: () => a('applications'), when: owners },
    { path: '/admin/policies', label: () => a('policies'), when: tiers },
    { path: '/admin/deny', label: () => a('deny'), when: deny },
    { path: '/admin/categories', label: () => a('categories'), when: categories },
    { path: '/admin/environments', label: () => a('environments'), when: nodes },
    { path: '/admin/settings', label: () => a('settings'), when: admin },
  ],
  routes: [
    { path: '/', view: () => <Nodes /> },
    { path: '/nodes', view: () => <Nodes /> },
    { path: '/approvals/:tab?', view: (r) => <Approvals key={r.tab} tab={r.tab ?? ''} /> },
    { path: '/applications', view: () => <Applications /> },
    { path: '/users/:name?', view: (r) => <Users name={r.name} /> },
    { path: '/roles', view: () => <Roles /> },
    { path: '/policies/:level?', view: (r) => <Policies key={r.level} level={r.level ?? ''} /> },
    { path: '/deny', view: () => <DenyPolicies /> },
    { path: '/categories', view: () => <Categories /> },
    { path: '/environments', view: () => <Environments /> },
    { path: '/settings', view: () => <Settings /> },
  ],
})
