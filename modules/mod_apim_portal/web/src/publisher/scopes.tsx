// SPDX-License-Identifier: Apache-2.0
// Scopes of one API, and the shared ones it uses.
import { useState } from 'preact/hooks'
import { get, PUBLISHER, type List } from '../lib/api'
import { Badge, Check, Dialog, Empty, Table, Text, useLoad } from '../lib/ui'
import { Section, WordsField } from '../manage/parts'
import { m } from '../manage/words'
import { mayEdit, type Editing } from './draft'
import type { Scope } from './types'
import { p } from './words'

export const noScope: Scope = { name: '', displayName: '', description: '', bindings: [] }

export function ScopeFields({ value, set, named }: { value: Scope; set: (s: Scope) => void; named: boolean }) {
  const put = (more: Partial<Scope>) => set({ ...value, ...more })
  return (
    <>
      <Text label={m('name')} value={value.name} set={(name) => put({ name })} required disabled={named} hint={p('scope.name.hint')} placeholder="orders:read" autocapitalize="none" spellcheck={false} autocomplete="off" />
      <Text label={m('display.name')} value={value.displayName} set={(displayName) => put({ displayName })} />
      <Text label={m('description')} value={value.description} set={(description) => put({ description })} hint={p('scope.description.hint')} />
      <WordsField label={p('scope.roles')} value={value.bindings} set={(bindings) => put({ bindings })} hint={p('scope.roles.hint')} suggestions={['Internal/subscriber', 'Internal/creator', 'Internal/publisher', 'admin']} />
    </>
  )
}

function ScopeDialog({ scope, taken, close, keep }: { scope: Scope | null; taken: string[]; close: () => void; keep: (s: Scope) => void }) {
  const [value, set] = useState(scope ?? noScope)
  const double = !scope && taken.includes(value.name.trim())
  const submit = (e: Event) => {
    e.preventDefault()
    if (double) return
    const name = value.name.trim()
    keep({ ...value, name, displayName: value.displayName.trim() || name })
    close()
  }
  return (
    <Dialog title={scope ? scope.name : p('scope.new')} close={close}>
      <form onSubmit={submit}>
        <ScopeFields value={value} set={set} named={!!scope} />
        {double && <p class="bad-text" role="alert">{p('scope.taken')}</p>}
        <div class="form-end">
          <button type="button" class="button" onClick={close}>{m('cancel')}</button>
          <button class="button primary">{scope ? p('take.over') : m('add')}</button>
        </div>
      </form>
    </Dialog>
  )
}

export function Scopes({ e: { api, stored, change } }: { e: Editing }) {
  const [editing, setEditing] = useState<Scope | 'new' | null>(null)
  const shared = useLoad(() => get<List<Scope>>(`${PUBLISHER}/scopes`, { limit: 1000 }), [])
  const own = api.scopes.filter((s) => !s.shared).map((s) => s.scope)
  const on = api.scopes.filter((s) => s.shared).map((s) => s.scope)
  const edit = mayEdit(stored)
  const uses = (name: string) => api.operations.filter((o) => o.scopes.includes(name)).length
  const without = (name: string) => change({
    scopes: api.scopes.filter((s) => s.scope.name !== name),
    ...(uses(name) ? { operations: api.operations.map((o) => ({ ...o, scopes: o.scopes.filter((x) => x !== name) })) } : {}),
  })
  const keep = (scope: Scope) => change({
    scopes: api.scopes.some((s) => s.scope.name === scope.name) ? api.scopes.map((s) => (s.scope.name === scope.name ? { ...s, scope } : s)) : [...api.scopes, { scope, shared: false }],
  })
  return (
    <>
      <Section title={p('scopes.own')} text={p('scopes.own.text')} actions={edit && <button class="button" onClick={() => setEditing('new')}>{p('scope.new')}</button>}>
        {!own.length ? <Empty title={p('scopes.none')} /> : (
          <Table stack label={p('scopes.own')} head={[m('name'), m('description'), p('scope.roles'), p('scope.uses'), '']}>
            {own.map((s) => (
              <tr key={s.name}>
                <th scope="row"><code>{s.name}</code></th>
                <td>{s.description}</td>
                <td>{s.bindings.map((b) => <Badge key={b}>{b}</Badge>)}{!s.bindings.length && <span class="soft">{p('scope.everybody')}</span>}</td>
                <td data-label={p('scope.uses')}>{uses(s.name)}</td>
                <td class="right">{edit && <>
                  <button class="button small" aria-label={`${m('edit')}: ${s.name}`} onClick={() => setEditing(s)}>{m('edit')}</button>{' '}
                  <button class="button small" aria-label={m('remove.word', s.name)} onClick={() => without(s.name)}>{m('remove')}</button>
                </>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      {(shared.data?.list.length || on.length) ? (
        <Section title={p('shared.scopes')} text={p('scopes.shared.text')}>
          <fieldset class="bare" disabled={!edit}>
            <ul class="plainlist">
              {shared.data?.list.map(({ name, displayName, description, bindings }) => (
                <li key={name}>
                  <Check label={name} on={on.some((s) => s.name === name)} set={(yes) => (yes ? change({ scopes: [...api.scopes, { scope: { name, displayName, description, bindings }, shared: true }] }) : without(name))} />
                  {description && <small class="below">{description}</small>}
                </li>
              ))}
            </ul>
          </fieldset>
        </Section>
      ) : null}
      {editing && <ScopeDialog scope={editing === 'new' ? null : editing} taken={api.scopes.map((s) => s.scope.name)} close={() => setEditing(null)} keep={keep} />}
    </>
  )
}
