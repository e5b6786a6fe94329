// SPDX-License-Identifier: Apache-2.0
// Where an API is in its life, moving it on, and who moved it when.
import { useState } from 'preact/hooks'
import { call, get, PUBLISHER, remove } from '../lib/api'
import { dateTime } from '../lib/i18n'
import { Link } from '../lib/router'
import { attempt, Check, confirm, Dialog, enc, FormEnd, Problem, say, Show, Table, useLoad, useSend } from '../lib/ui'
import { LifeState, Nodes, Section, type NodeState } from '../manage/parts'
import { m, stateName } from '../manage/words'
import { Diagram, type Transition } from './diagram'
import type { Editing } from './draft'
import { mayPublish } from './types'
import { p, type Key } from './words'

interface State {
  state: string
  checkItems: { name: string; value: boolean }[]
  availableTransitions: Transition[]
}

interface Event {
  previousState: string | null
  postState: string
  user: string
  updatedTime: string
}

interface Gateways {
  published: boolean
  environments: { name: string; deployed: boolean; confirmed: string[]; pending: string[]; failed: { name: string; reason: string }[]; away: string[] }[]
}

const gentle = ['Publish', 'Re-Publish', 'Deploy as a Prototype']

function GatewayAnswer({ id, gateways }: { id: string; gateways: Gateways }) {
  if (!gateways.published) return <p class="notice bad" role="status">{p('gateways.later')}</p>
  const states = (e: Gateways['environments'][0]): NodeState[] => [
    ...e.confirmed.map((name) => ({ name, state: 'CONFIRMED' })), ...e.pending.map((name) => ({ name, state: 'PENDING' })),
    ...e.failed.map((f) => ({ ...f, state: 'FAILED' })), ...e.away.map((name) => ({ name, state: 'AWAY' })),
  ]
  const bad = gateways.environments.some((e) => e.failed.length)
  const waiting = gateways.environments.some((e) => e.pending.length)
  return (
    <div class={`notice ${bad ? 'bad' : waiting ? 'warn' : 'good'}`} role={bad ? 'alert' : 'status'}>
      {gateways.environments.map((e) => (
        <div key={e.name}>
          <p><strong>{e.deployed ? p('gateways.serving', e.name) : p('gateways.dropped', e.name)}</strong></p>
          {e.deployed ? <Nodes list={states(e)} /> : <p>{e.confirmed.join(', ')}</p>}
        </div>
      ))}
      {!gateways.environments.length && <p>{p('gateways.none')}</p>}
      {(bad || waiting) && <p><Link href={`/publisher/apis/${enc(id)}/revisions`}>{p('tab.revisions')}</Link></p>}
    </div>
  )
}

/** A change of state waits for approval. */
function Waiting({ e }: { e: Editing }) {
  const withdraw = async () => {
    if (!await confirm(p('change.withdraw'), p('change.withdraw.text'), p('change.withdraw'))) return
    if (await attempt(() => remove(`${PUBLISHER}/apis/${enc(e.stored.id)}/lifecycle-state/pending-tasks`), p('change.withdrawn'))) e.reload()
  }
  return (
    <div class="notice warn" role="status">
      <p><strong>{p('change.waiting')}</strong> {p('change.waiting.text')}</p>
      {mayPublish() && <button class="button" onClick={withdraw}>{p('change.withdraw')}</button>}
    </div>
  )
}

function ChangeDialog({ e, to, items, close, done }: { e: Editing; to: Transition; items: State['checkItems']; close: () => void; done: (waits: boolean, g?: Gateways | null) => void }) {
  const [on, setOn] = useState<string[]>([])
  const first = to.event === 'Publish' && e.stored.lifeCycleStatus !== 'PUBLISHED'
  const { busy, error, submit } = useSend(async () => {
    const lifecycleChecklist = first && items.length ? items.map((i) => `${i.name}:${on.includes(i.name)}`).join(',') : undefined
    const answer = await call<{ workflowStatus: string; gateways?: Gateways | null }>('POST', `${PUBLISHER}/apis/change-lifecycle`, {
      query: { apiId: e.stored.id, action: to.event, lifecycleChecklist }, headers: { 'If-Match': e.etag },
    })
    done(answer.workflowStatus === 'CREATED', answer.gateways)
  })
  const action = p(`action.${to.event}` as Key)
  return (
    <Dialog title={p('change.title', action, e.stored.name, e.stored.version)} close={close}>
      <form onSubmit={submit}>
        <p>{p(`action.${to.event}.text` as Key)}</p>
        {Object.keys(e.changes).length > 0 && <p class="notice">{p('change.unsaved')}</p>}
        {first && items.map((i) => <Check key={i.name} label={i.name.startsWith('Deprecate') ? p('check.deprecate') : i.name.startsWith('Requires') ? p('check.resubscribe') : i.name} on={on.includes(i.name)} set={(yes) => setOn(yes ? [...on, i.name] : on.filter((x) => x !== i.name))} />)}
        {error?.status === 412 && <p class="notice">{p('change.stale')} <button type="button" class="button small" onClick={() => { e.reload(); close() }}>{p('read.again')}</button></p>}
        {gentle.includes(to.event)
          ? <FormEnd busy={busy} action={action} cancel={close} error={error} />
          : <>
              {error && <Problem error={error} />}
              <div class="form-end">
                <button type="button" class="button" onClick={close}>{m('cancel')}</button>
                <button class="button danger" disabled={busy} aria-busy={busy}>{action}</button>
              </div>
            </>}
      </form>
    </Dialog>
  )
}

export function LifeCycle({ e }: { e: Editing }) {
  const path = `${PUBLISHER}/apis/${enc(e.stored.id)}`
  const state = useLoad(() => get<State>(`${path}/lifecycle-state`), [path, e.etag])
  const history = useLoad(() => get<{ list: Event[] }>(`${path}/lifecycle-history`), [path, e.etag])
  const [to, setTo] = useState<Transition | null>(null)
  const [gateways, setGateways] = useState<Gateways>()
  const waits = e.stored.workflowStatus === 'CREATED'
  const act = mayPublish() && !waits
  const done = (waiting: boolean, g?: Gateways | null) => {
    setTo(null)
    setGateways(g ?? undefined)
    say(waiting ? p('change.waiting') : m('saved'))
    e.reload()
  }
  return (
    <>
      {waits && <Waiting e={e} />}
      {gateways && <GatewayAnswer id={e.stored.id} gateways={gateways} />}
      <div class="columns">
        <Section title={p('tab.lifecycle')} text={p('lifecycle.text')}>
          <Show of={state} rows={6}>
            {(s) => (
              <>
                <Diagram state={s.state} transitions={s.availableTransitions} act={act ? setTo : undefined} />
                {act && s.availableTransitions.length > 0 && (
                  <p class="actions">
                    {s.availableTransitions.map((x) => (
                      <button key={x.event} class={`button ${x.event === 'Publish' && s.state !== 'PUBLISHED' ? 'primary' : gentle.includes(x.event) ? '' : 'danger'}`} onClick={() => setTo(x)}>
                        {s.state === 'PUBLISHED' && x.event === 'Publish' ? p('action.again') : p(`action.${x.event}` as Key)}
                      </button>
                    ))}
                  </p>
                )}
                {!mayPublish() && <p class="notice">{p('lifecycle.not.yours')}</p>}
                {!s.availableTransitions.length && <p>{p('lifecycle.end')}</p>}
              </>
            )}
          </Show>
          <p class="soft">{p(`meaning.${e.stored.lifeCycleStatus}` as Key)}</p>
        </Section>
        <Section title={p('history')}>
          <Show of={history}>
            {(h) => (
              <Table stack label={p('history')} head={[p('when'), p('from'), p('to'), p('who')]}>
                {[...h.list].reverse().map((x, i) => (
                  <tr key={i}><td>{dateTime(x.updatedTime)}</td><td data-label={p('from')}>{x.previousState ? stateName(x.previousState) : '–'}</td><td data-label={p('to')}><LifeState of={x.postState} /></td><td>{x.user}</td></tr>
                ))}
              </Table>
            )}
          </Show>
        </Section>
      </div>
      {to && state.data && <ChangeDialog e={e} to={to} items={state.data.checkItems} close={() => setTo(null)} done={done} />}
    </>
  )
}
