// SPDX-License-Identifier: Apache-2.0
// Subscribing to an API: with an application that is there, or one made on the spot.
import { useState } from 'preact/hooks'
import { get, has, post, session, STORE, type List } from '../lib/api'
import { Link } from '../lib/router'
import { NeedLogIn } from '../lib/shell'
import { Empty, FormEnd, say, Select, Show, State, Table, Text, useLoad, useSend } from '../lib/ui'
import { SubscriptionActions } from './subscriptions'
import { baseUrl, tierChoices, type Api, type Application, type Policy, type Subscription } from './types'
import { t } from './words'

const NEW = ''

interface Choices {
  applications: Application[]
  subscriptions: Subscription[]
  tiers: [string, string][]
}

async function load(api: Api): Promise<Choices> {
  const [applications, subscriptions, tiers] = await Promise.all([
    get<List<Application>>(`${STORE}/applications`, { limit: 1000 }),
    get<List<Subscription>>(`${STORE}/subscriptions`, { apiId: api.id, limit: 1000 }),
    get<List<Policy>>(`${STORE}/throttling-policies/subscription`, { limit: 200 })])
  return { applications: applications.list, subscriptions: subscriptions.list, tiers: tierChoices(api.tiers, tiers.list) }
}

function Form({ api, choices, done }: { api: Api; choices: Choices; done: () => void }) {
  const free = choices.applications.filter((a) => a.status === 'APPROVED' && !choices.subscriptions.some((s) => s.applicationId === a.applicationId))
  const [chosen, setChosen] = useState(free[0]?.applicationId ?? NEW)
  const [name, setName] = useState('')
  const [tier, setTier] = useState(choices.tiers[0]?.[0] ?? '')
  const { busy, error, submit } = useSend(async () => {
    let application = chosen
    if (chosen === NEW) {
      const made = await post<Application>(`${STORE}/applications`, { name: name.trim(), throttlingPolicy: 'Unlimited', description: '', tokenType: 'JWT' })
      application = made.applicationId
      if (made.status !== 'APPROVED') {
        say(t('application.waiting'))
        done()
        return
      }
    }
    try {
      const made = await post<Subscription>(`${STORE}/subscriptions`, { apiId: api.id, applicationId: application, throttlingPolicy: tier })
      say(made.status === 'ON_HOLD' ? t('subscribe.waiting') : t('subscribe.done', api.name))
    } finally {
      done()
    }
  })
  return (
    <section class="card">
      <h2>{choices.subscriptions.length ? t('subscribe.another') : t('subscribe')}</h2>
      <p class="soft">{t('subscribe.text')}</p>
      <form onSubmit={submit}>
        <Select label={t('application')} value={chosen} set={setChosen} choices={[...free.map((a) => [a.applicationId, a.name] as [string, string]), [NEW, t('application.new.choice')]]} />
        {chosen === NEW && <Text label={t('application.name')} value={name} set={setName} required maxLength={100} />}
        <Select label={t('tier')} value={tier} set={setTier} choices={choices.tiers} />
        <FormEnd busy={busy} action={t('subscribe')} error={error} />
      </form>
    </section>
  )
}

function Mine({ api, list, done }: { api: Api; list: Subscription[]; done: () => void }) {
  return (
    <section class="card">
      <div class="sectionhead">
        <h2>{t('subscriptions.mine')}</h2>
        {baseUrl(api) && <Link class="button primary small" href={`/store/apis/${api.id}/try`}>{t('try')}</Link>}
      </div>
      <Table stack label={t('subscriptions.mine')} head={[t('application'), t('tier'), t('state'), '']}>
        {list.map((s) => (
          <tr key={s.subscriptionId}>
            <th scope="row"><Link href={`/store/applications/${s.applicationId}`}>{s.applicationInfo?.name}</Link>{' '}
              <small><Link href={`/store/applications/${s.applicationId}/production`}>{t('keys')}</Link></small></th>
            <td>{s.throttlingPolicy}{s.requestedThrottlingPolicy !== s.throttlingPolicy && ` → ${s.requestedThrottlingPolicy}`}</td>
            <td><State of={s.status} /></td>
            <td><SubscriptionActions of={s} done={done} /></td>
          </tr>
        ))}
      </Table>
    </section>
  )
}

function Subscriptions({ api }: { api: Api }) {
  const choices = useLoad(() => load(api), [api.id])
  const open = api.lifeCycleStatus === 'PUBLISHED' && api.tiers.length > 0
  return (
    <Show of={choices} rows={2}>
      {(c) => (
        <>
          {c.subscriptions.length > 0 && <Mine api={api} list={c.subscriptions} done={choices.reload} />}
          {open
            ? <Form key={c.subscriptions.length + ' ' + c.applications.length} api={api} choices={c} done={choices.reload} />
            : c.subscriptions.length === 0 && <Empty title={t('subscribe.closed')}><p>{t('subscribe.closed.text')}</p></Empty>}
        </>
      )}
    </Show>
  )
}

export function Subscribe({ api }: { api: Api }) {
  if (api.lifeCycleStatus === 'PROTOTYPED') return <Empty title={t('prototype')}><p>{t('prototype.text')}</p></Empty>
  if (session.value!.username && !has('apim:subscribe', 'apim:sub_manage')) return <Empty title={t('subscribe.forbidden')}><p>{t('subscribe.forbidden.text')}</p></Empty>
  return <NeedLogIn><Subscriptions api={api} /></NeedLogIn>
}
