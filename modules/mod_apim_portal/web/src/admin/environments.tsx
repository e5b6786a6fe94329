// SPDX-License-Identifier: Apache-2.0
// Gateway environments: where publishers deploy to.
import { useState } from 'preact/hooks'
import { ADMIN, get, has, post, put, remove } from '../lib/api'
import { attempt, confirm, Dialog, Empty, enc, FormEnd, say, Select, Show, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { a } from './words'

interface Environment {
  id: string
  name: string
  displayName: string
  type: string
  description: string
  gatewayUrl: string
}

const types = ['hybrid', 'production', 'sandbox']
const none: Environment = { id: '', name: '', displayName: '', type: 'hybrid', description: '', gatewayUrl: '' }
const typeName = (x: string) => (types.includes(x) ? a(`type.${x}` as 'type.hybrid') : x)

function EnvironmentDialog({ environment, close, done }: { environment: Environment | null; close: () => void; done: () => void }) {
  const [value, set] = useState(environment ?? none)
  const change = (more: Partial<Environment>) => set({ ...value, ...more })
  const { busy, error, submit } = useSend(async () => {
    const { name, displayName, type, description, gatewayUrl } = value
    const body = { name: name.trim(), displayName: displayName.trim() || name.trim(), type, description, gatewayUrl: gatewayUrl.trim() }
    if (environment) await put(`${ADMIN}/environments/${enc(environment.id)}`, body)
    else await post(`${ADMIN}/environments`, body)
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={environment ? environment.displayName : a('environment.new')} close={close}>
      <form onSubmit={submit}>
        {!environment && <Text label={m('name')} value={value.name} set={(name) => change({ name })} required hint={a('environment.name.hint')} autocomplete="off" />}
        <Text label={m('display.name')} value={value.displayName} set={(displayName) => change({ displayName })} />
        <Text label={m('description')} value={value.description} set={(description) => change({ description })} />
        <Select label={a('type')} value={value.type} set={(type) => change({ type })} choices={types.map((x) => [x, typeName(x)])} />
        <Text label={a('gateway.url')} type="url" value={value.gatewayUrl} set={(gatewayUrl) => change({ gatewayUrl })} placeholder="https://api.example.org" hint={a('gateway.url.hint')} />
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function Environments() {
  const list = useLoad(() => get<{ list: Environment[] }>(`${ADMIN}/environments`), [])
  const [editing, setEditing] = useState<Environment | 'new' | null>(null)
  const may = has('apim:admin', 'apim:environment_manage')
  const drop = async (e: Environment) => {
    if (!await confirm(a('environment.delete', e.displayName), m('undone.never'), m('delete'))) return
    await attempt(() => remove(`${ADMIN}/environments/${enc(e.id)}`), m('deleted'))
    await list.reload()
  }
  return (
    <>
      <Title text={a('environments')} sub={a('environments.sub')}>
        {may && <button class="button primary" onClick={() => setEditing('new')}>{a('environment.new')}</button>}
      </Title>
      <Show of={list}>
        {(data) => data.list.length === 0
          ? <Empty title={a('environments.none')} />
          : <Table stack label={a('environments')} head={[m('name'), a('type'), a('gateway.url'), m('description'), '']}>
              {data.list.map((e) => (
                <tr key={e.id}>
                  <th scope="row">{e.displayName || e.name}{e.displayName && e.displayName !== e.name && <div class="soft">{e.name}</div>}</th>
                  <td>{typeName(e.type)}</td>
                  <td>{e.gatewayUrl ? <code>{e.gatewayUrl}</code> : <span class="soft">{a('gateway.url.own')}</span>}</td>
                  <td>{e.description}</td>
                  <td class="right">{may && <>
                    <button class="button small" aria-label={`${m('edit')}: ${e.name}`} onClick={() => setEditing(e)}>{m('edit')}</button>{' '}
                    {e.name !== 'Default' && <button class="button small danger" aria-label={`${m('delete')}: ${e.name}`} onClick={() => drop(e)}>{m('delete')}</button>}
                  </>}</td>
                </tr>
              ))}
            </Table>}
      </Show>
      {editing && <EnvironmentDialog environment={editing === 'new' ? null : editing} close={() => setEditing(null)} done={() => { setEditing(null); list.reload() }} />}
    </>
  )
}
