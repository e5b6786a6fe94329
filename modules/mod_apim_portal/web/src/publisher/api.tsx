// SPDX-License-Identifier: Apache-2.0
// One API: its head, its tabs, and what has been changed and not saved.
import { useEffect } from 'preact/hooks'
import { PUBLISHER, remove } from '../lib/api'
import { go, Link } from '../lib/router'
import { attempt, Badge, confirm, Empty, enc, Problem, Show, Tabs, Title } from '../lib/ui'
import { LifeState } from '../manage/parts'
import { m } from '../manage/words'
import { Basics } from './basics'
import { Definition } from './definition'
import { Documents } from './documents'
import { dropDraft, mayEdit, SaveBar, useApi, type Editing } from './draft'
import { Endpoints } from './endpoints'
import { LifeCycle } from './lifecycle'
import { Overview } from './overview'
import { Picture } from './picture'
import { Resources } from './resources'
import { Revisions } from './revisions'
import { Runtime } from './runtime'
import { Scopes } from './scopes'
import { Statistics } from './statistics'
import { Subscriptions } from './subscriptions'
import { fullContext, mayCreate, mayDelete, type Api } from './types'
import { NewVersion } from './version'
import { p } from './words'

const views = {
  '': Overview, basics: Basics, resources: Resources, endpoints: Endpoints, runtime: Runtime, scopes: Scopes,
  definition: Definition, documents: Documents, lifecycle: LifeCycle, revisions: Revisions, subscriptions: Subscriptions, statistics: Statistics, version: NewVersion,
}
type TabId = keyof typeof views

const tabs = (): [TabId, string][] => [
  ['', p('tab.overview')], ['basics', p('tab.basics')], ['resources', p('tab.resources')], ['endpoints', p('tab.endpoints')],
  ['runtime', p('tab.runtime')], ['scopes', p('tab.scopes')], ['definition', p('tab.definition')], ['documents', p('tab.documents')], ['lifecycle', p('tab.lifecycle')],
  ['revisions', p('tab.revisions')], ['subscriptions', p('tab.subscriptions')], ['statistics', p('tab.statistics')],
]

async function drop(api: Api) {
  if (!await confirm(p('delete.title', api.name, api.version), `${p('delete.text')} ${m('undone.never')}`, m('delete'))) return
  if (await attempt(() => remove(`${PUBLISHER}/apis/${enc(api.id)}`), m('deleted'))) {
    dropDraft(api.id)
    go('/publisher/')
  }
}

export function ApiPage({ id, tab }: { id: string; tab: string }) {
  const of = useApi(id)
  const View = views[tab as TabId]
  const ready = !!of.loaded.data
  useEffect(() => document.querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [tab, ready]) // on a phone they do not fit
  if (of.loaded.error && !of.loaded.data) {
    return (
      <>
        <p class="crumbs"><Link href="/publisher/">← {p('apis')}</Link></p>
        <Title text={p('api')} />
        <Problem error={of.loaded.error} retry={of.loaded.reload} />
      </>
    )
  }
  return (
    <Show of={of.loaded} rows={6}>
      {() => {
        const e = of as Editing
        const base = `/publisher/apis/${enc(id)}`
        return (
          <>
            <p class="crumbs"><Link href="/publisher/">← {p('apis')}</Link></p>
            <div class="head">
              <Picture api={e.stored} large mark={e.etag} />
              <Title text={e.api.name} sub={<>{e.api.version} · <code>{fullContext(e.api)}</code> <LifeState of={e.stored.lifeCycleStatus} />{e.stored.isDefaultVersion && <Badge>{p('version.default')}</Badge>}</>}>
                {mayCreate() && <Link class="button" href={`${base}/version`}>{p('version.new')}</Link>}
                {mayDelete() && <button class="button danger" onClick={() => drop(e.stored)}>{m('delete')}</button>}
              </Title>
            </div>
            <Tabs label={e.api.name} base={base} now={tab} tabs={tabs()} />
            {!mayEdit(e.stored) && <p class="notice">{p('read.only')}</p>}
            {View ? <View e={e} /> : <Empty title={p('nowhere')}><Link class="button" href={base}>{p('tab.overview')}</Link></Empty>}
            <SaveBar e={e} />
          </>
        )
      }}
    </Show>
  )
}
