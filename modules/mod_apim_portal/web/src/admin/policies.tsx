// SPDX-License-Identifier: Apache-2.0
// Rate limiting policies: of applications, subscriptions, and APIs with their operations.
import { useState } from 'preact/hooks'
import { ADMIN, get, has, post, put, remove, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { attempt, Badge, Check, confirm, Dialog, Empty, enc, Field, FormEnd, say, Select, Show, Table, Tabs, Text, Title, useLoad, useSend } from '../lib/ui'
import { unitNames } from '../manage/parts'
import { m } from '../manage/words'
import { a } from './words'

type Level = 'subscription' | 'application' | 'advanced'
const levels: Level[] = ['subscription', 'application', 'advanced']

interface Policy {
  policyId: string
  policyName: string
  displayName: string
  description: string
  defaultLimit: { type: string; requestCount: { timeUnit: string; unitTime: number; requestCount: number } } | null
  rateLimitCount?: number
  rateLimitTimeUnit?: string
  stopOnQuotaReach?: boolean
  billingPlan?: string
  conditionalGroups?: unknown[]
}

const none: Policy = { policyId: '', policyName: '', displayName: '', description: '', defaultLimit: { type: 'REQUESTCOUNTLIMIT', requestCount: { timeUnit: 'min', unitTime: 1, requestCount: 1000 } }, rateLimitCount: 0, rateLimitTimeUnit: 'sec', stopOnQuotaReach: true, billingPlan: 'FREE' }
const unitName = (unit: string) => unitNames().find(([u]) => u === unit)?.[1] ?? unit

function limitText(x: Policy) {
  const c = x.defaultLimit?.requestCount
  if (!c || c.requestCount < 0 || x.policyName === 'Unlimited') return a('unlimited')
  return c.unitTime === 1 ? a('limit.per', number(c.requestCount), unitName(c.timeUnit)) : a('limit.every', number(c.requestCount), number(c.unitTime), unitName(c.timeUnit))
}

function PolicyDialog({ level, policy, close, done }: { level: Level; policy: Policy | null; close: () => void; done: () => void }) {
  const [value, set] = useState<Policy>(policy ?? none)
  const change = (more: Partial<Policy>) => set({ ...value, ...more })
  const count = value.defaultLimit?.requestCount ?? none.defaultLimit!.requestCount
  const changeCount = (more: Partial<typeof count>) => change({ defaultLimit: { type: 'REQUESTCOUNTLIMIT', requestCount: { ...count, ...more } } })
  const path = `${ADMIN}/throttling/policies/${level}`
  const { busy, error, submit } = useSend(async () => {
    const name = value.policyName.trim()
    const body = {
      ...policy, // with what is not edited here
      policyName: name, displayName: value.displayName.trim() || name, description: value.description, defaultLimit: value.defaultLimit,
      ...(level === 'subscription' ? { rateLimitCount: value.rateLimitCount ?? 0, rateLimitTimeUnit: value.rateLimitCount ? value.rateLimitTimeUnit || 'sec' : '', stopOnQuotaReach: value.stopOnQuotaReach, billingPlan: value.billingPlan } : {}),
    }
    if (policy) await put(`${path}/${enc(policy.policyId)}`, body)
    else await post(path, body)
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={policy ? policy.policyName : a('policy.new')} close={close}>
      <form onSubmit={submit}>
        {!policy && <Text label={m('name')} value={value.policyName} set={(policyName) => change({ policyName })} required autocomplete="off" />}
        <Text label={m('display.name')} value={value.displayName} set={(displayName) => change({ displayName })} />
        <Text label={m('description')} value={value.description} set={(description) => change({ description })} />
        <Field label={a('calls')}>
          {(id) => (
            <div class="amount">
              <input {...id} type="number" required min={1} value={count.requestCount > 0 ? count.requestCount : ''} onInput={(e) => changeCount({ requestCount: Number(e.currentTarget.value) })} />
              <span>{a('calls.every')}</span>
              <input type="number" aria-label={a('unit.count')} required min={1} value={count.unitTime || ''} onInput={(e) => changeCount({ unitTime: Number(e.currentTarget.value) })} class="few" />
              <select aria-label={a('unit')} value={count.timeUnit} onChange={(e) => changeCount({ timeUnit: e.currentTarget.value })}>
                {unitNames().filter(([u]) => u !== 'sec').map(([u, l]) => <option key={u} value={u}>{l}</option>)}
              </select>
            </div>
          )}
        </Field>
        {level === 'subscription' && <>
          <Field label={a('burst')} hint={a('burst.hint')}>
            {(id) => (
              <div class="amount">
                <input {...id} type="number" min={0} value={value.rateLimitCount || ''} placeholder={a('unlimited')} onInput={(e) => change({ rateLimitCount: Number(e.currentTarget.value) })} />
                <select aria-label={a('unit')} value={value.rateLimitTimeUnit || 'sec'} onChange={(e) => change({ rateLimitTimeUnit: e.currentTarget.value })}>
                  {unitNames().filter(([u]) => ['sec', 'min', 'hour', 'day'].includes(u)).map(([u, l]) => <option key={u} value={u}>{a('per', l)}</option>)}
                </select>
              </div>
            )}
          </Field>
          <Check label={a('stop')} on={value.stopOnQuotaReach !== false} set={(stopOnQuotaReach) => change({ stopOnQuotaReach })} />
          <Select label={a('plan')} value={value.billingPlan ?? 'FREE'} set={(billingPlan) => change({ billingPlan })} choices={[['FREE', a('plan.FREE')], ['COMMERCIAL', a('plan.COMMERCIAL')]]} />
        </>}
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

function LevelPolicies({ level }: { level: Level }) {
  const policies = useLoad(() => get<List<Policy>>(`${ADMIN}/throttling/policies/${level}`, { limit: 1000 }), [level])
  const [editing, setEditing] = useState<Policy | 'new' | null>(null)
  const may = has('apim:admin', 'apim:admin_tier_manage')
  const drop = async (x: Policy) => {
    if (!await confirm(a('policy.delete', x.policyName), m('undone.never'), m('delete'))) return
    await attempt(() => remove(`${ADMIN}/throttling/policies/${level}/${enc(x.policyId)}`), m('deleted'))
    await policies.reload()
  }
  return (
    <>
      <div class="sectionhead">
        <p class="soft">{a(`level.${level}.text`)}</p>
        {may && <button class="button primary" onClick={() => setEditing('new')}>{a('policy.new')}</button>}
      </div>
      <Show of={policies}>
        {(data) => data.list.length === 0
          ? <Empty title={a('policies.none')} />
          : <Table stack label={a(`level.${level}`)} head={[m('name'), a('limit'), m('description'), '']}>
              {data.list.map((x) => (
                <tr key={x.policyId}>
                  <th scope="row">{x.displayName || x.policyName} {!!x.conditionalGroups?.length && <Badge>{a('conditions', number(x.conditionalGroups.length))}</Badge>} {x.billingPlan === 'COMMERCIAL' && <Badge>{a('plan.COMMERCIAL')}</Badge>}</th>
                  <td>{limitText(x)}{!!x.rateLimitCount && <div class="soft">{a('limit.burst', number(x.rateLimitCount), unitName(x.rateLimitTimeUnit ?? ''))}</div>}</td>
                  <td>{x.description}</td>
                  <td class="right">{may && x.policyName !== 'Unlimited' && <>
                    <button class="button small" aria-label={`${m('edit')}: ${x.policyName}`} onClick={() => setEditing(x)}>{m('edit')}</button>{' '}
                    <button class="button small danger" aria-label={`${m('delete')}: ${x.policyName}`} onClick={() => drop(x)}>{m('delete')}</button>
                  </>}</td>
                </tr>
              ))}
            </Table>}
      </Show>
      {editing && <PolicyDialog level={level} policy={editing === 'new' ? null : editing} close={() => setEditing(null)} done={() => { setEditing(null); policies.reload() }} />}
    </>
  )
}

export function Policies({ level }: { level: string }) {
  const now = levels.find((l) => l === level) ?? (level ? undefined : 'subscription')
  return (
    <>
      <Title text={a('policies')} sub={a('policies.sub')} />
      <Tabs label={a('policies')} base="/admin/policies" now={level === 'subscription' ? '' : level} tabs={[['', a('level.subscription')], ['application', a('level.application')], ['advanced', a('level.advanced')]]} />
      {now ? <LevelPolicies level={now} /> : <Empty title={a('nowhere')} />}
    </>
  )
}
