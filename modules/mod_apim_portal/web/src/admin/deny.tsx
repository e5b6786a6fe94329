// SPDX-License-Identifier: Apache-2.0
// Who is turned away by every gateway.
import { useState } from 'preact/hooks'
import { ADMIN, call, get, has, post, remove, type List } from '../lib/api'
import { attempt, Badge, Check, confirm, Dialog, Empty, enc, FormEnd, say, Select, Show, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { a } from './words'

type Kind = 'API' | 'APPLICATION' | 'USER' | 'IP' | 'IPRANGE'
const kinds: Kind[] = ['API', 'APPLICATION', 'USER', 'IP', 'IPRANGE']
const samples: Record<Kind, string> = { API: '/orders/1.0.0', APPLICATION: 'ana:Shop', USER: 'ana', IP: '192.0.2.7', IPRANGE: '192.0.2.0' }

interface Addresses {
  fixedIp?: string
  startingIp?: string
  endingIp?: string
  invert?: boolean
}

interface Condition {
  conditionId: string
  conditionType: Kind
  conditionValue: string | Addresses
  conditionStatus: boolean
}

const text = (v: Condition['conditionValue']) => (typeof v === 'string' ? v : v.fixedIp ?? `${v.startingIp} – ${v.endingIp}`)

function DenyDialog({ close, done }: { close: () => void; done: () => void }) {
  const [kind, setKind] = useState<Kind>('API')
  const [value, setValue] = useState('')
  const [end, setEnd] = useState('')
  const [invert, setInvert] = useState(false)
  const address = kind === 'IP' || kind === 'IPRANGE'
  const { busy, error, submit } = useSend(async () => {
    const conditionValue = kind === 'IP' ? { fixedIp: value.trim(), invert } : kind === 'IPRANGE' ? { startingIp: value.trim(), endingIp: end.trim(), invert } : value.trim()
    await post(`${ADMIN}/throttling/deny-policies`, { conditionType: kind, conditionValue, conditionStatus: true })
    say(a('deny.done'))
    done()
  })
  return (
    <Dialog title={a('deny.new')} close={close}>
      <form onSubmit={submit}>
        <Select label={a('deny.kind')} value={kind} set={(k) => setKind(k as Kind)} choices={kinds.map((k) => [k, a(`deny.${k}`)])} />
        <Text label={a(`deny.${kind}.value`)} value={value} set={setValue} required placeholder={samples[kind]} autocapitalize="none" spellcheck={false} autocomplete="off" />
        {kind === 'IPRANGE' && <Text label={a('deny.end')} value={end} set={setEnd} required placeholder="192.0.2.255" autocomplete="off" />}
        {address && <Check label={a('deny.invert')} on={invert} set={setInvert} />}
        {address && invert && <p class="notice">{a('deny.invert.text')}</p>}
        <FormEnd busy={busy} action={a('deny.add')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function DenyPolicies() {
  const list = useLoad(() => get<List<Condition>>(`${ADMIN}/throttling/deny-policies`, { limit: 1000 }), [])
  const [making, setMaking] = useState(false)
  const may = has('apim:admin', 'apim:bl_manage')
  const path = (c: Condition) => `${ADMIN}/throttling/deny-policy/${enc(c.conditionId)}`
  const [turning, setTurning] = useState<Record<string, boolean>>({}) // what a switch shows until the server has answered
  const turn = async (c: Condition, on: boolean) => {
    setTurning((now) => ({ ...now, [c.conditionId]: on }))
    await attempt(() => call('PATCH', path(c), { json: { conditionStatus: on } }), on ? a('deny.on') : a('deny.off'))
    await list.reload()
    setTurning(({ [c.conditionId]: _, ...others }) => others)
  }
  const isOn = (c: Condition) => turning[c.conditionId] ?? c.conditionStatus
  const drop = async (c: Condition) => {
    if (!await confirm(a('deny.delete', text(c.conditionValue)), a('deny.delete.text'), m('delete'))) return
    await attempt(() => remove(path(c)), m('deleted'))
    await list.reload()
  }
  return (
    <>
      <Title text={a('deny')} sub={a('deny.sub')}>
        {may && <button class="button primary" onClick={() => setMaking(true)}>{a('deny.new')}</button>}
      </Title>
      <Show of={list}>
        {(data) => data.list.length === 0
          ? <Empty title={a('deny.none')}><p>{a('deny.none.text')}</p></Empty>
          : <Table stack label={a('deny')} head={[a('deny.kind'), a('deny.value'), a('deny.active'), '']}>
              {data.list.map((c) => (
                <tr key={c.conditionId}>
                  <td>{a(`deny.${c.conditionType}`)}</td>
                  <th scope="row"><code>{text(c.conditionValue)}</code> {typeof c.conditionValue !== 'string' && c.conditionValue.invert && <Badge kind="warn">{a('deny.inverted')}</Badge>}</th>
                  <td><label class="check"><input type="checkbox" role="switch" disabled={!may} checked={isOn(c)} aria-label={`${a('deny.active')}: ${text(c.conditionValue)}`} onChange={(e) => turn(c, e.currentTarget.checked)} /><span>{isOn(c) ? m('yes') : m('no')}</span></label></td>
                  <td class="right">{may && <button class="button small danger" aria-label={`${m('delete')}: ${text(c.conditionValue)}`} onClick={() => drop(c)}>{m('delete')}</button>}</td>
                </tr>
              ))}
            </Table>}
      </Show>
      {making && <DenyDialog close={() => setMaking(false)} done={() => { setMaking(false); list.reload() }} />}
    </>
  )
}
