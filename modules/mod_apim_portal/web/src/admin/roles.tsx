// SPDX-License-Identifier: Apache-2.0
// Roles: those of the system, and one's own.
import { useState } from 'preact/hooks'
import { ADMIN, get, post, raw, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { attempt, Badge, confirm, Dialog, Empty, FormEnd, say, Show, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import type { Role } from './users'
import { a } from './words'

const ofSystem = (name: string) => name === 'admin' || name.startsWith('Internal/')

function RoleDialog({ close, done }: { close: () => void; done: () => void }) {
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const { busy, error, submit } = useSend(async () => {
    await post(`${ADMIN}/roles`, { name: name.trim(), description })
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={a('role.new')} close={close}>
      <form onSubmit={submit}>
        <Text label={m('name')} value={name} set={setName} required autocomplete="off" hint={a('role.hint')} />
        <Text label={m('description')} value={description} set={setDescription} />
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function Roles() {
  const roles = useLoad(() => get<List<Role>>(`${ADMIN}/roles`, { limit: 1000 }), [])
  const [making, setMaking] = useState(false)
  const drop = async (r: Role) => {
    if (!await confirm(a('role.delete', r.name), m('undone.never'), m('delete'))) return
    await attempt(() => raw('DELETE', `${ADMIN}/roles`, { query: { name: r.name } }), m('deleted'))
    await roles.reload()
  }
  return (
    <>
      <Title text={a('roles')} sub={a('roles.sub')}>
        <button class="button primary" onClick={() => setMaking(true)}>{a('role.new')}</button>
      </Title>
      <Show of={roles}>
        {(data) => data.list.length === 0
          ? <Empty title={a('roles.none')} />
          : <Table stack label={a('roles')} head={[m('name'), m('description'), a('users'), '']}>
              {data.list.map((r) => (
                <tr key={r.name}>
                  <th scope="row">{r.name} {ofSystem(r.name) && <Badge>{a('role.system')}</Badge>}</th>
                  <td>{r.description}</td>
                  <td data-label={a('users')}>{number(r.userCount)}</td>
                  <td class="right">{!ofSystem(r.name) && <button class="button small danger" aria-label={`${m('delete')}: ${r.name}`} onClick={() => drop(r)}>{m('delete')}</button>}</td>
                </tr>
              ))}
            </Table>}
      </Show>
      {making && <RoleDialog close={() => setMaking(false)} done={() => { setMaking(false); roles.reload() }} />}
    </>
  )
}
