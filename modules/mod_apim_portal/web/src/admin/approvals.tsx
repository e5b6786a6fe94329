// SPDX-License-Identifier: Apache-2.0
// What waits for approval, what was decided, and where approval is switched on.
import { useState } from 'preact/hooks'
import { ADMIN, call, get, has, put, type List } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { Link, place } from '../lib/router'
import { Badge, Check, Dialog, Empty, enc, FormEnd, Pager, pageOffset, pageSize, Problem, say, Select, Show, Table, Tabs, Text, Title, useLoad, useSend } from '../lib/ui'
import { m, stateName } from '../manage/words'
import { a } from './words'

type Kind = 'AM_USER_SIGNUP' | 'AM_APPLICATION_CREATION' | 'AM_APPLICATION_DELETION' | 'AM_APPLICATION_REGISTRATION_PRODUCTION' |
  'AM_APPLICATION_REGISTRATION_SANDBOX' | 'AM_SUBSCRIPTION_CREATION' | 'AM_SUBSCRIPTION_UPDATE' | 'AM_SUBSCRIPTION_DELETION' | 'AM_API_STATE'

interface Workflow {
  referenceId: string
  workflowType: Kind
  workflowStatus: 'CREATED' | 'APPROVED' | 'REJECTED'
  createdTime: string
  updatedTime: string
  createdBy: string
  decidedBy: string | null
  description: string
  comment: string
  properties: Record<string, string | null>
  engine: 'NONE' | 'DUE' | 'DELIVERED' | 'FAILED'
  engineError: string
}

interface TypeSetting {
  workflowType: Kind
  enabled: boolean
  url: string
  authType: 'NONE' | 'BASIC' | 'BEARER'
  username: string
  hasSecret: boolean
  callbackUrl: string
}

const kind = (k: Kind) => a(`wf.${k}`)
const mayDecide = () => has('apim:admin', 'apim:api_workflow_approve')

/** What somebody wants, in the language of the one who reads it. */
function sentence({ workflowType, createdBy, properties: x, description }: Workflow): string {
  const api = `${x.apiName ?? ''} ${x.apiVersion ?? ''}`.trim()
  switch (workflowType) {
    case 'AM_USER_SIGNUP': return a('wf.say.user', createdBy)
    case 'AM_APPLICATION_CREATION': return a('wf.say.application', createdBy, x.applicationName ?? '')
    case 'AM_APPLICATION_DELETION': return a('wf.say.application.end', createdBy, x.applicationName ?? '')
    case 'AM_APPLICATION_REGISTRATION_PRODUCTION': return a('wf.say.production', createdBy, x.applicationName ?? '')
    case 'AM_APPLICATION_REGISTRATION_SANDBOX': return a('wf.say.sandbox', createdBy, x.applicationName ?? '')
    case 'AM_SUBSCRIPTION_CREATION': return a('wf.say.subscription', createdBy, x.applicationName ?? '', api, x.subscriptionTier ?? '')
    case 'AM_SUBSCRIPTION_UPDATE': return a('wf.say.tier', createdBy, x.applicationName ?? '', api, x.subscriptionTier ?? '')
    case 'AM_SUBSCRIPTION_DELETION': return a('wf.say.subscription.end', createdBy, x.applicationName ?? '', api)
    case 'AM_API_STATE': return a('wf.say.state', createdBy, api, stateName(x.currentState ?? ''), stateName(x.requestedState ?? ''))
    default: return description
  }
}

/** apiName becomes "api name": properties are named by the REST API. */
const spoken = (name: string) => name.replace(/([A-Z])/g, (c) => ` ${c.toLowerCase()}`)

function Facts({ of }: { of: Workflow }) {
  const known = Object.entries(of.properties).filter(([, v]) => v)
  return (
    <dl class="facts">
      {known.map(([name, value]) => <><dt key={`t${name}`}>{spoken(name)}</dt><dd key={`d${name}`}>{value}</dd></>)}
      <dt>{a('wf.asked')}</dt><dd>{of.createdBy}, {dateTime(of.createdTime)}</dd>
      {of.engine !== 'NONE' && <><dt>{a('wf.engine')}</dt><dd>{a(`wf.engine.${of.engine}`)} {of.engineError}</dd></>}
    </dl>
  )
}

function DecideDialog({ of, approve, close, done }: { of: Workflow; approve: boolean; close: () => void; done: () => void }) {
  const [comment, setComment] = useState('')
  const { busy, error, submit } = useSend(async () => {
    await call('POST', `${ADMIN}/workflows/update-workflow-status`, {
      query: { workflowReferenceId: of.referenceId }, json: { status: approve ? 'APPROVED' : 'REJECTED', description: comment, attributes: {} } })
    say(approve ? a('wf.approved') : a('wf.rejected'))
    done()
  })
  return (
    <Dialog title={approve ? a('wf.approve.title') : a('wf.reject.title')} close={close}>
      <form onSubmit={submit}>
        <p>{sentence(of)}</p>
        <Facts of={of} />
        <Text label={a('wf.comment')} value={comment} set={setComment} rows={2} maxLength={1000} />
        {approve
          ? <FormEnd busy={busy} action={a('wf.approve')} cancel={close} error={error} />
          : <>
              {error && <Problem error={error} />}
              <div class="form-end">
                <button type="button" class="button" onClick={close}>{m('cancel')}</button>
                <button class="button danger" disabled={busy} aria-busy={busy}>{a('wf.reject')}</button>
              </div>
            </>}
      </form>
    </Dialog>
  )
}

function Tasks({ status }: { status: Workflow['workflowStatus'] }) {
  const offset = pageOffset()
  const list = useLoad(() => get<List<Workflow>>(`${ADMIN}/workflows`, { status, limit: pageSize, offset }), [status, offset])
  const [deciding, setDeciding] = useState<{ of: Workflow; approve: boolean } | null>(null)
  const waits = status === 'CREATED'
  return (
    <>
      <Show of={list} rows={4}>
        {(data) => data.list.length === 0
          ? <Empty title={waits ? a('wf.none') : a('wf.none.decided')}>{waits && <p>{a('wf.none.text')}</p>}</Empty>
          : <>
              <Table stack label={a('approvals')} head={[a('wf.what'), a('wf.kind'), waits ? a('since') : a('wf.decided'), '']}>
                {data.list.map((w) => (
                  <tr key={w.referenceId}>
                    <th scope="row">
                      {sentence(w)}
                      {w.engine === 'FAILED' && <> <Badge kind="bad">{a('wf.engine.FAILED')}</Badge></>}
                      {w.comment && <p class="soft">{w.comment}</p>}
                    </th>
                    <td data-label={a('wf.kind')}>{kind(w.workflowType)}</td>
                    <td>{dateTime(waits ? w.createdTime : w.updatedTime)}{w.decidedBy && <p class="soft">{w.decidedBy}</p>}</td>
                    <td class="right">
                      {waits && mayDecide() && <>
                        <button class="button small primary" aria-label={`${a('wf.approve')}: ${sentence(w)}`} onClick={() => setDeciding({ of: w, approve: true })}>{a('wf.approve')}</button>{' '}
                        <button class="button small danger" aria-label={`${a('wf.reject')}: ${sentence(w)}`} onClick={() => setDeciding({ of: w, approve: false })}>{a('wf.reject')}</button>
                      </>}
                    </td>
                  </tr>
                ))}
              </Table>
              <Pager of={data} />
            </>}
      </Show>
      {deciding && <DecideDialog {...deciding} close={() => setDeciding(null)} done={() => { setDeciding(null); list.reload() }} />}
    </>
  )
}

function TypeDialog({ of, close, done }: { of: TypeSetting; close: () => void; done: () => void }) {
  const [form, setForm] = useState({ ...of, secret: '' })
  const set = <K extends keyof typeof form>(name: K) => (value: (typeof form)[K]) => setForm({ ...form, [name]: value })
  const keeps = of.hasSecret && form.url === of.url
  const { busy, error, submit } = useSend(async () => {
    const { enabled, url, authType, username, secret, callbackUrl } = form
    await put(`${ADMIN}/workflow-types/${enc(of.workflowType)}`, { enabled, url: url.trim(), authType, username, secret: secret || undefined, callbackUrl: callbackUrl.trim() })
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={kind(of.workflowType)} close={close}>
      <form onSubmit={submit}>
        <Check label={a('wf.enabled')} on={form.enabled} set={set('enabled')} />
        <Text label={a('wf.url')} value={form.url} set={set('url')} hint={a('wf.url.hint')} placeholder="https://bpm.example.org/start" spellcheck={false} autocapitalize="none" />
        {form.url && <>
          <Select label={a('wf.auth')} value={form.authType} set={(v) => set('authType')(v as TypeSetting['authType'])}
            choices={[['NONE', a('wf.auth.NONE')], ['BASIC', a('wf.auth.BASIC')], ['BEARER', a('wf.auth.BEARER')]]} />
          {form.authType === 'BASIC' && <Text label={a('username')} value={form.username} set={set('username')} required autocomplete="off" autocapitalize="none" />}
          {form.authType !== 'NONE' && <Text label={form.authType === 'BASIC' ? a('password') : a('wf.token')} value={form.secret} set={set('secret')} type="password"
            required={!keeps} hint={keeps ? a('password.hint') : undefined} autocomplete="new-password" />}
          <Text label={a('wf.callback')} value={form.callbackUrl} set={set('callbackUrl')} hint={a('wf.callback.hint')} spellcheck={false} autocapitalize="none" />
        </>}
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

function Types() {
  const list = useLoad(() => get<List<TypeSetting>>(`${ADMIN}/workflow-types`), [])
  const [editing, setEditing] = useState<TypeSetting | null>(null)
  return (
    <>
      <Show of={list} rows={6}>
        {(data) => (
          <Table stack label={a('wf.types')} head={[a('wf.kind'), m('state'), a('wf.engine'), '']}>
            {data.list.map((x) => (
              <tr key={x.workflowType}>
                <th scope="row">{kind(x.workflowType)}<p class="soft">{a(`wf.${x.workflowType}.text`)}</p></th>
                <td>{x.enabled ? <Badge kind="warn">{a('wf.on')}</Badge> : <Badge>{a('wf.off')}</Badge>}</td>
                <td>{x.url ? <code>{x.url}</code> : <span class="soft">{a('wf.people')}</span>}</td>
                <td class="right">{has('apim:admin') && <button class="button small" aria-label={`${m('edit')}: ${kind(x.workflowType)}`} onClick={() => setEditing(x)}>{m('edit')}</button>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Show>
      {editing && <TypeDialog of={editing} close={() => setEditing(null)} done={() => { setEditing(null); list.reload() }} />}
    </>
  )
}

export function Approvals({ tab }: { tab: string }) {
  const waiting = useLoad(() => get<List<Workflow>>(`${ADMIN}/workflows`, { limit: 1 }), [place.value.path])
  const n = waiting.data?.pagination.total ?? 0
  return (
    <>
      <Title text={a('approvals')} sub={a('approvals.sub')} />
      <Tabs label={a('approvals')} base="/admin/approvals" now={tab}
        tabs={[['', n ? a('wf.waiting.count', number(n)) : a('wf.waiting')], ['approved', a('wf.tab.approved')], ['rejected', a('wf.tab.rejected')], ['types', a('wf.types')]]} />
      {tab === '' && <Tasks status="CREATED" />}
      {tab === 'approved' && <Tasks key={tab} status="APPROVED" />}
      {tab === 'rejected' && <Tasks key={tab} status="REJECTED" />}
      {tab === 'types' && <Types />}
      {!['', 'approved', 'rejected', 'types'].includes(tab) && <Empty title={a('nowhere')}><p><Link href="/admin/approvals">{a('approvals')}</Link></p></Empty>}
    </>
  )
}
