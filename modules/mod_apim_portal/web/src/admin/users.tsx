// SPDX-License-Identifier: Apache-2.0
// Users: made, given roles, locked, deleted. One user has an address: /admin/users/{name}.
import { useState } from 'preact/hooks'
import { ADMIN, get, post, put, remove, session, type List } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { go, Link, place } from '../lib/router'
import { attempt, Badge, Checks, confirm, Dialog, Empty, enc, FormEnd, Pager, pageOffset, pageSize, say, Search, Select, Show, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { a } from './words'

interface User {
  username: string
  email: string | null
  givenName: string | null
  familyName: string | null
  organization: string | null
  status: string
  roles: string[]
  createdTime: string
}

export interface Role {
  name: string
  description: string
  userCount: number
}

const statuses = ['ACTIVE', 'PENDING', 'LOCKED', 'DISABLED']
const kinds: Record<string, string> = { ACTIVE: 'good', LOCKED: 'bad', DISABLED: 'bad', PENDING: 'warn' }
const statusName = (s: string) => (s in kinds ? a(`status.${s}` as 'status.ACTIVE') : s)
const everyone = 'Internal/everyone'
const none: User = { username: '', email: '', givenName: '', familyName: '', organization: '', status: 'ACTIVE', roles: ['Internal/subscriber'], createdTime: '' }

function UserForm({ user, roles, close, done }: { user: User | null; roles: Role[]; close: () => void; done: () => void }) {
  const [value, set] = useState<User>(user ?? none)
  const [password, setPassword] = useState('')
  const change = (more: Partial<User>) => set({ ...value, ...more })
  const { busy, error, submit } = useSend(async () => {
    const { email, givenName, familyName, organization, status } = value
    const facts = { email: email || null, givenName: givenName || null, familyName: familyName || null, organization: organization || null, status, roles: value.roles.filter((r) => r !== everyone) }
    const secret = password ? { password } : {}
    if (user) await put(`${ADMIN}/users/${enc(user.username)}`, { ...facts, ...secret })
    else await post(`${ADMIN}/users`, { username: value.username.trim(), ...facts, ...secret })
    say(m('saved'))
    done()
  })
  return (
    <form onSubmit={submit}>
      {!user && <Text label={a('username')} value={value.username} set={(username) => change({ username })} required autocomplete="off" autocapitalize="none" spellcheck={false} />}
      <Text label={user ? a('password.new') : a('password')} type="password" value={password} set={setPassword} required={!user} minlength={8} autocomplete="new-password" hint={user ? a('password.hint') : a('password.rule')} />
      <div class="pairs">
        <Text label={a('given')} value={value.givenName ?? ''} set={(givenName) => change({ givenName })} autocomplete="off" />
        <Text label={a('family')} value={value.familyName ?? ''} set={(familyName) => change({ familyName })} autocomplete="off" />
        <Text label={a('email')} type="email" value={value.email ?? ''} set={(email) => change({ email })} autocomplete="off" />
        <Text label={a('organization')} value={value.organization ?? ''} set={(organization) => change({ organization })} autocomplete="off" />
      </div>
      <Select label={m('state')} value={value.status} set={(status) => change({ status })} choices={statuses.map((s) => [s, statusName(s)])} />
      <Checks legend={a('roles')} choices={roles.filter((r) => r.name !== everyone).map((r) => r.name)} on={value.roles} set={(on) => change({ roles: on })} />
      {user && <p class="soft">{a('user.tokens')}</p>}
      <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
    </form>
  )
}

function UserDialog({ name, roles, close, done }: { name: string; roles: Role[]; close: () => void; done: () => void }) {
  const user = useLoad(async () => (name === '+' ? null : get<User>(`${ADMIN}/users/${enc(name)}`)), [name])
  return (
    <Dialog title={name === '+' ? a('user.new') : name} close={close}>
      <Show of={user}>{(u) => <UserForm user={u} roles={roles} close={close} done={done} />}</Show>
    </Dialog>
  )
}

async function lock(user: User) {
  const locking = user.status === 'ACTIVE'
  if (locking && !await confirm(a('lock.title', user.username), a('lock.text'), a('lock'))) return
  await attempt(() => put(`${ADMIN}/users/${enc(user.username)}`, { status: locking ? 'LOCKED' : 'ACTIVE' }), locking ? a('locked') : a('unlocked'))
}

async function drop(user: User) {
  if (!await confirm(a('user.delete', user.username), `${a('user.delete.text')} ${m('undone.never')}`, m('delete'))) return
  await attempt(() => remove(`${ADMIN}/users/${enc(user.username)}`), m('deleted'))
}

export function Users({ name }: { name?: string }) {
  const q = place.value.query.get('q') ?? ''
  const offset = pageOffset()
  const users = useLoad(() => get<List<User>>(`${ADMIN}/users`, { query: q, limit: pageSize, offset }), [q, offset])
  const roles = useLoad(() => get<List<Role>>(`${ADMIN}/roles`, { limit: 1000 }), [])
  const to = (user: string) => go(`/admin/users${user ? `/${enc(user)}` : ''}${place.value.query.toString() ? `?${place.value.query}` : ''}`)
  const then = (work: Promise<void>) => work.then(() => users.reload())
  return (
    <>
      <Title text={a('users')} sub={a('users.sub')}>
        <button class="button primary" onClick={() => to('+')}>{a('user.new')}</button>
      </Title>
      <div class="toolbar"><Search label={a('users.search')} /></div>
      <Show of={users} rows={6}>
        {(data) => data.list.length === 0
          ? <Empty title={a('users.none')} />
          : <>
              <p class="soft count" role="status">{data.pagination.total === 1 ? a('users.one') : a('users.count', number(data.pagination.total))}</p>
              <Table stack label={a('users')} head={[a('username'), a('who'), a('roles'), m('state'), a('since'), '']}>
                {data.list.map((u) => (
                  <tr key={u.username}>
                    <th scope="row"><Link href={`/admin/users/${enc(u.username)}${place.value.query.toString() ? `?${place.value.query}` : ''}`}>{u.username}</Link></th>
                    <td>{[u.givenName, u.familyName].filter(Boolean).join(' ')}{u.email && <div class="soft">{u.email}</div>}</td>
                    <td>{u.roles.filter((r) => r !== everyone).map((r) => <Badge key={r}>{r}</Badge>)}</td>
                    <td><Badge kind={kinds[u.status]}>{statusName(u.status)}</Badge></td>
                    <td>{dateTime(u.createdTime)}</td>
                    <td class="right">{u.username !== session.value?.username && <>
                      <button class="button small" aria-label={`${u.status === 'ACTIVE' ? a('lock') : a('activate')}: ${u.username}`} onClick={() => then(lock(u))}>{u.status === 'ACTIVE' ? a('lock') : a('activate')}</button>{' '}
                      <button class="button small danger" aria-label={`${m('delete')}: ${u.username}`} onClick={() => then(drop(u))}>{m('delete')}</button>
                    </>}</td>
                  </tr>
                ))}
              </Table>
              <Pager of={data} />
            </>}
      </Show>
      {name && roles.data && <UserDialog key={name} name={name} roles={roles.data.list} close={() => to('')} done={() => { to(''); users.reload() }} />}
    </>
  )
}
