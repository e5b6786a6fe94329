// SPDX-License-Identifier: Apache-2.0
// One application: its subscriptions, its keys.
import { useState } from 'preact/hooks'
import { get, remove, session, STORE } from '../lib/api'
import { date } from '../lib/i18n'
import { go, Link } from '../lib/router'
import { attempt, confirm, Empty, enc, say, Show, State, Tabs, Tile, Title, useLoad } from '../lib/ui'
import { ApiKeys } from './api_keys'
import { ApplicationForm } from './applications'
import { Keys } from './keys'
import { ApplicationSubscriptions } from './subscriptions'
import type { Application as App } from './types'
import { t } from './words'

function Facts({ a }: { a: App }) {
  return (
    <section class="card">
      <h2>{t('facts')}</h2>
      <dl class="facts">
        {a.description && <><dt>{t('description')}</dt><dd>{a.description}</dd></>}
        <dt>{t('application.tier')}</dt><dd>{a.throttlingPolicy}</dd>
        <dt>{t('token.type')}</dt><dd>{a.tokenType === 'OAUTH' ? t('token.type.opaque') : t('token.type.jwt')}</dd>
        {a.createdTime && <><dt>{t('created')}</dt><dd>{date(Number(a.createdTime) || a.createdTime)}</dd></>}
        <dt>{t('owner')}</dt><dd>{a.owner}</dd>
        {a.groups.length > 0 && <><dt>{t('groups')}</dt><dd>{a.groups.join(', ')}</dd></>}
      </dl>
    </section>
  )
}

export function Application({ id, tab }: { id: string; tab: string }) {
  const [editing, setEditing] = useState(false)
  const app = useLoad(() => get<App>(`${STORE}/applications/${enc(id)}`), [id])
  const drop = async (a: App) => {
    if (!await confirm(t('application.delete'), t('application.delete.text', a.name), t('delete'))) return
    let waits = false
    if (!await attempt(async () => {
      waits = !!await remove(`${STORE}/applications/${a.applicationId}`)
      say(waits ? t('removal.waiting') : t('application.deleted', a.name))
    })) return
    if (waits) await app.reload()
    else go('/store/applications')
  }
  const base = `/store/applications/${id}`
  return (
    <>
      <p class="crumbs"><Link href="/store/applications">← {t('applications')}</Link></p>
      <Show of={app} rows={4} title={t('application')}>
        {(a) => (
          <>
            <div class="head">
              <Tile name={a.name} large />
              <Title text={a.name} sub={a.status === 'APPROVED' ? t('application') : <State of={a.status} />}>
                <button class="button" onClick={() => setEditing(true)}>{t('edit')}</button>
                {a.status !== 'DELETE_PENDING' && a.owner === session.value!.username && <button class="button danger" onClick={() => drop(a)}>{t('delete')}</button>}
              </Title>
            </div>
            <Tabs label={a.name} base={base} now={tab}
              tabs={[['', t('overview')], ['production', t('keys.production')], ['sandbox', t('keys.sandbox')], ['api-keys', t('api.keys')]]} />
            {tab === '' && <div class="columns wide-left"><ApplicationSubscriptions app={a} /><Facts a={a} /></div>}
            {(tab === 'production' || tab === 'sandbox') && <Keys key={tab} app={a} type={tab === 'production' ? 'PRODUCTION' : 'SANDBOX'} />}
            {tab === 'api-keys' && <ApiKeys app={a} />}
            {!['', 'production', 'sandbox', 'api-keys'].includes(tab) && <Empty title={t('nowhere')} />}
            {editing && <ApplicationForm of={a} close={() => setEditing(false)} done={() => { setEditing(false); say(t('saved')); app.reload() }} />}
          </>
        )}
      </Show>
    </>
  )
}
