// SPDX-License-Identifier: Apache-2.0
// Subscriptions: those of an application, and what one can do with one.
import { useState } from 'preact/hooks'
import { get, put, remove, STORE, type List } from '../lib/api'
import { Link } from '../lib/router'
import { attempt, confirm, Dialog, Empty, FormEnd, say, Select, Show, State, Table, useLoad, useSend } from '../lib/ui'
import { tierChoices, type Application, type Policy, type Subscription, type Tier } from './types'
import { t } from './words'

function TierDialog({ of, close, done }: { of: Subscription; close: () => void; done: () => void }) {
  const [tier, setTier] = useState(of.throttlingPolicy)
  const tiers = useLoad(async () => {
    const [offered, all] = await Promise.all([
      get<Tier[]>(`${STORE}/apis/${of.apiId}/subscription-policies`), get<List<Policy>>(`${STORE}/throttling-policies/subscription`, { limit: 200 })])
    return tierChoices(offered, all.list)
  }, [of.apiId])
  const { busy, error, submit } = useSend(async () => {
    const now = await put<Subscription>(`${STORE}/subscriptions/${of.subscriptionId}`, { apiId: of.apiId, applicationId: of.applicationId, throttlingPolicy: of.throttlingPolicy, requestedThrottlingPolicy: tier })
    say(now.status === 'TIER_UPDATE_PENDING' ? t('tier.waiting') : t('saved'))
    done()
  })
  return (
    <Dialog title={t('tier.change')} close={close}>
      <Show of={tiers} rows={1}>
        {(choices) => (
          <form onSubmit={submit}>
            <p>{of.apiInfo?.name} {of.apiInfo?.version}</p>
            <Select label={t('tier')} value={tier} set={setTier} choices={choices.some(([v]) => v === tier) ? choices : [[tier, tier], ...choices]} />
            <FormEnd busy={busy} action={t('save')} cancel={close} error={error} />
          </form>
        )}
      </Show>
    </Dialog>
  )
}

/** Their tier cannot change: somebody has to decide, or has refused. */
const unsettled = ['ON_HOLD', 'REJECTED', 'TIER_UPDATE_PENDING', 'DELETE_PENDING']

/** Buttons of one subscription; done is called when something has changed. */
export function SubscriptionActions({ of, done }: { of: Subscription; done: () => void }) {
  const [changing, setChanging] = useState(false)
  const drop = async () => {
    const name = `${of.apiInfo?.name ?? ''} ${of.apiInfo?.version ?? ''}`.trim()
    if (!await confirm(t('unsubscribe'), t('unsubscribe.text', name, of.applicationInfo?.name ?? ''), t('unsubscribe'))) return
    if (await attempt(async () => say(await remove(`${STORE}/subscriptions/${of.subscriptionId}`) ? t('removal.waiting') : t('unsubscribed')))) done()
  }
  return (
    <div class="actions">
      {!unsettled.includes(of.status) && <button class="button small" onClick={() => setChanging(true)}>{t('tier.change')}</button>}
      {!of.status.endsWith('_PENDING') && <button class="button small danger" onClick={drop}>{t('unsubscribe')}</button>}
      {changing && <TierDialog of={of} close={() => setChanging(false)} done={() => { setChanging(false); done() }} />}
    </div>
  )
}

export function ApplicationSubscriptions({ app }: { app: Application }) {
  const subscriptions = useLoad(() => get<List<Subscription>>(`${STORE}/subscriptions`, { applicationId: app.applicationId, limit: 1000 }), [app.applicationId])
  return (
    <section class="card">
      <div class="sectionhead"><h2>{t('subscriptions')}</h2><Link class="button small" href="/store/">{t('catalogue.browse')}</Link></div>
      <Show of={subscriptions} rows={2}>
        {(data) => data.list.length === 0
          ? <Empty title={t('subscriptions.none')}><p>{t('subscriptions.none.text')}</p></Empty>
          : <Table stack label={t('subscriptions')} head={[t('api'), t('tier'), t('state'), '']}>
              {data.list.map((s) => (
                <tr key={s.subscriptionId}>
                  <th scope="row"><Link href={`/store/apis/${s.apiId}`}>{s.apiInfo?.name}</Link> <span class="soft">{s.apiInfo?.version}</span></th>
                  <td>{s.throttlingPolicy}{s.requestedThrottlingPolicy !== s.throttlingPolicy && ` → ${s.requestedThrottlingPolicy}`}</td>
                  <td><State of={s.status} /></td>
                  <td><SubscriptionActions of={s} done={subscriptions.reload} /></td>
                </tr>
              ))}
            </Table>}
      </Show>
    </section>
  )
}
