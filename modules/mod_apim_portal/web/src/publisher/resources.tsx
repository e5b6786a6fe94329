// SPDX-License-Identifier: Apache-2.0
// The resources of an API: which verbs on which paths, who may call them, how often.
import { useMemo, useState } from 'preact/hooks'
import { get, PUBLISHER, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { Badge, Check, Checks, Empty, Select, Text, useLoad, Verb, type Choice } from '../lib/ui'
import { Section } from '../manage/parts'
import { mayEdit, type Editing } from './draft'
import { verbs, type Operation, type Policy } from './types'
import { p, type Key } from './words'

const STEP = 100
const authTypes = ['Application & Application User', 'Application User', 'Application', 'None']
const authChoices = (): Choice[] => authTypes.map((x) => [x, p(`auth.${x}` as Key)])
const keyOf = (o: Operation) => `${o.verb} ${o.target}`

function AddForm({ list, add }: { list: Operation[]; add: (more: Operation[]) => void }) {
  const [target, setTarget] = useState('')
  const [on, setOn] = useState<string[]>(['GET'])
  const [error, setError] = useState('')
  const submit = (e: Event) => {
    e.preventDefault()
    const path = target.trim()
    const fresh = on.filter((verb) => !list.some((o) => o.verb === verb && o.target === path))
    if (!path.startsWith('/')) setError(p('resource.slash'))
    else if (!on.length) setError(p('resource.verb.none'))
    else if (!fresh.length) setError(p('resource.there'))
    else {
      setError('')
      setTarget('')
      add(fresh.map((verb) => ({ id: '', target: path, verb, authType: authTypes[0], throttlingPolicy: 'Unlimited', scopes: [] })))
    }
  }
  return (
    <form onSubmit={submit}>
      <Checks legend={p('verbs')} choices={verbs} on={on} set={setOn} />
      <Text label={p('path')} value={target} set={setTarget} placeholder="/orders/{orderId}" hint={p('path.hint')} autocapitalize="none" spellcheck={false} autocomplete="off" aria-invalid={!!error} />
      {error && <p class="bad-text" role="alert">{error}</p>}
      <p><button class="button">{p('resource.add')}</button></p>
    </form>
  )
}

interface RowProps {
  op: Operation
  policies: Choice[]
  scopes: string[]
  change: (more: Partial<Operation>) => void
  drop: () => void
}

function Row({ op, policies, scopes, change, drop }: RowProps) {
  const [open, setOpen] = useState(false)
  return (
    <details class="operation" onToggle={(x) => setOpen(x.currentTarget.open)}>
      <summary>
        <Verb verb={op.verb} /> <code>{op.target}</code>
        {op.authType === 'None' && <Badge kind="warn">{p('auth.None')}</Badge>}
        {op.throttlingPolicy !== 'Unlimited' && <Badge>{op.throttlingPolicy}</Badge>}
        {op.scopes.map((s) => <Badge key={s}>{s}</Badge>)}
      </summary>
      {open && (
        <div class="details">
          <div class="pairs">
            <Select label={p('auth')} value={op.authType} set={(authType) => change({ authType })} choices={authChoices()} />
            <Select label={p('limit')} value={op.throttlingPolicy} set={(throttlingPolicy) => change({ throttlingPolicy })} choices={policies} hint={p('limit.hint')} />
          </div>
          {scopes.length > 0 && op.authType !== 'None' && <Checks legend={p('tab.scopes')} choices={scopes} on={op.scopes} set={(on) => change({ scopes: on })} />}
          <p><button type="button" class="button small danger" onClick={drop}>{p('resource.remove')}</button></p>
        </div>
      )}
    </details>
  )
}

export function Resources({ e: { api, stored, change } }: { e: Editing }) {
  const [filter, setFilter] = useState('')
  const [shown, setShown] = useState(STEP)
  const policies = useLoad(() => get<List<Policy>>(`${PUBLISHER}/throttling-policies/api`, { limit: 1000 }), [])
  const list = api.operations
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const found = useMemo(() => list.filter((o) => words.every((w) => `${keyOf(o)} ${o.scopes.join(' ')}`.toLowerCase().includes(w))), [list, filter])
  const choices = (own: string): Choice[] => {
    const known = policies.data?.list.map((x): Choice => [x.name, x.displayName || x.name]) ?? []
    return known.some((c) => c[0] === own) ? known : [[own, own] as Choice, ...known]
  }
  const put = (operations: Operation[]) => change({ operations })
  const open = !mayEdit(stored)
  return (
    <fieldset class="bare" disabled={open}>
      <div class="columns wide-left">
        <Section title={list.length === 1 ? p('resources.one') : p('resources', number(list.length))}>
          {list.length > 8 && <input class="filter" type="search" aria-label={p('resources.filter')} placeholder={p('resources.filter')} value={filter} onInput={(x) => setFilter(x.currentTarget.value)} />}
          {!list.length && <Empty title={p('resources.none')}><p>{p('resources.none.text')}</p></Empty>}
          {list.length > 0 && !found.length && <Empty title={p('search.none')} />}
          {found.slice(0, shown).map((o) => (
            <Row key={keyOf(o)} op={o} policies={choices(o.throttlingPolicy)} scopes={api.scopes.map((s) => s.scope.name)}
              change={(more) => put(list.map((x) => (x === o ? { ...x, ...more } : x)))} drop={() => put(list.filter((x) => x !== o))} />
          ))}
          {found.length > shown && <p><button type="button" class="button" onClick={() => setShown(shown + STEP)}>{p('more', number(found.length - shown))}</button></p>}
        </Section>
        <div>
          <Section title={p('resource.new')}><AddForm list={list} add={(more) => put([...list, ...more])} /></Section>
          <Section title={p('limits.all')} text={p('limits.all.text')}>
            <Check label={p('limits.all.on')} on={api.apiThrottlingPolicy !== null} set={(yes) => change({ apiThrottlingPolicy: yes ? 'Unlimited' : null })} />
            {api.apiThrottlingPolicy !== null && <Select label={p('limit')} value={api.apiThrottlingPolicy} set={(x) => change({ apiThrottlingPolicy: x })} choices={choices(api.apiThrottlingPolicy)} />}
            <p class="soft">{p('resources.live')}</p>
          </Section>
        </div>
      </div>
    </fieldset>
  )
}
