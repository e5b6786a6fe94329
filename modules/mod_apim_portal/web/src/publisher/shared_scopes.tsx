// SPDX-License-Identifier: Apache-2.0
// Scopes that several APIs share.
import { useState } from 'preact/hooks'
import { get, has, post, PUBLISHER, put, remove, type List } from '../lib/api'
import { attempt, Badge, confirm, Dialog, Empty, enc, FormEnd, Pager, pageOffset, pageSize, say, Show, Table, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { noScope, ScopeFields } from './scopes'
import type { Scope } from './types'
import { p } from './words'

interface SharedScope extends Scope {
  id: string
  usageCount: number
}

function ScopeDialog({ scope, close, done }: { scope: SharedScope | null; close: () => void; done: () => void }) {
  const [value, set] = useState<Scope>(scope ?? noScope)
  const { busy, error, submit } = useSend(async () => {
    const name = value.name.trim()
    const body = { name, displayName: value.displayName.trim() || name, description: value.description, bindings: value.bindings }
    if (scope) await put(`${PUBLISHER}/scopes/${enc(scope.id)}`, body)
    else await post(`${PUBLISHER}/scopes`, body)
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={scope ? scope.name : p('scope.new')} close={close}>
      <form onSubmit={submit}>
        <ScopeFields value={value} set={set} named={!!scope} />
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function SharedScopes() {
  const offset = pageOffset()
  const scopes = useLoad(() => get<List<SharedScope>>(`${PUBLISHER}/scopes`, { limit: pageSize, offset }), [offset])
  const [editing, setEditing] = useState<SharedScope | 'new' | null>(null)
  const may = has('apim:shared_scope_manage', 'apim:admin')
  const drop = async (s: SharedScope) => {
    if (!await confirm(p('scope.delete', s.name), m('undone.never'), m('delete'))) return
    await attempt(() => remove(`${PUBLISHER}/scopes/${enc(s.id)}`), m('deleted'))
    await scopes.reload()
  }
  return (
    <>
      <Title text={p('shared.scopes')} sub={p('shared.scopes.sub')}>
        {may && <button class="button primary" onClick={() => setEditing('new')}>{p('scope.new')}</button>}
      </Title>
      <Show of={scopes}>
        {(data) => data.list.length === 0
          ? <Empty title={p('shared.scopes.none')}><p>{p('shared.scopes.none.text')}</p></Empty>
          : <>
              <Table stack label={p('shared.scopes')} head={[m('name'), m('description'), p('scope.roles'), p('scope.apis'), '']}>
                {data.list.map((s) => (
                  <tr key={s.id}>
                    <th scope="row"><code>{s.name}</code></th>
                    <td>{s.description}</td>
                    <td>{s.bindings.map((b) => <Badge key={b}>{b}</Badge>)}{!s.bindings.length && <span class="soft">{p('scope.everybody')}</span>}</td>
                    <td data-label={p('scope.apis')}>{s.usageCount}</td>
                    <td class="right">{may && <>
                      <button class="button small" aria-label={`${m('edit')}: ${s.name}`} onClick={() => setEditing(s)}>{m('edit')}</button>{' '}
                      <button class="button small danger" aria-label={`${m('delete')}: ${s.name}`} onClick={() => drop(s)}>{m('delete')}</button>
                    </>}</td>
                  </tr>
                ))}
              </Table>
              <Pager of={data} />
            </>}
      </Show>
      {editing && <ScopeDialog scope={editing === 'new' ? null : editing} close={() => setEditing(null)} done={() => { setEditing(null); scopes.reload() }} />}
    </>
  )
}
