// SPDX-License-Identifier: Apache-2.0
// The back ends of an API: production and sandbox; one, several in turn, or one and its stand-ins; and their credentials.
import { useState } from 'preact/hooks'
import { call, PUBLISHER } from '../lib/api'
import { asRefusal, Check, explain, Select, Text } from '../lib/ui'
import { Section } from '../manage/parts'
import { m } from '../manage/words'
import { mayEdit, type Editing } from './draft'
import type { Endpoint, EndpointConfig, Security } from './types'
import { p, type Key } from './words'

type Side = 'production' | 'sandbox'
const sides: Side[] = ['production', 'sandbox']
const kinds = ['http', 'load_balance', 'failover']

interface Both {
  first: Endpoint[] // typed rows, also empty ones
  spare: Endpoint[]
}

const rows = (e?: Endpoint | Endpoint[]) => (Array.isArray(e) ? e : e ? [e] : [])
const read = (c: EndpointConfig, side: Side): Both => ({ first: rows(c[`${side}_endpoints`]), spare: rows(c[`${side}_failovers`]) })

/** The configuration with one side changed; what an endpoint had besides its URL is kept. */
function write(c: EndpointConfig, side: Side, to: Both): EndpointConfig {
  const { [`${side}_endpoints`]: _, [`${side}_failovers`]: __, ...rest } = c
  const out: EndpointConfig = rest as EndpointConfig
  if (c.endpoint_type === 'load_balance') {
    if (to.first.length) out[`${side}_endpoints`] = to.first
  } else if (to.first[0]) out[`${side}_endpoints`] = to.first[0]
  if (c.endpoint_type === 'failover' && to.spare.length) out[`${side}_failovers`] = to.spare
  return out
}

/** Another kind; the URLs stay where they mean something. */
function turn(c: EndpointConfig, kind: string): EndpointConfig {
  let out: EndpointConfig = { ...c, endpoint_type: kind }
  for (const side of sides) {
    const { first, spare } = read(c, side)
    const all = [...first, ...spare]
    out = write(out, side, kind === 'load_balance' ? { first: all, spare: [] } : kind === 'failover' ? { first: all.slice(0, 1), spare: all.slice(1) } : { first: all.slice(0, 1), spare: [] })
  }
  return out
}

interface Answer {
  statusCode: number | null
  statusMessage: string
  error: string
}

/** Asks whether a back end answers; what it says stands until the URL changes. */
function Test({ url, label }: { url: string; label: string }) {
  const [found, setFound] = useState<{ url: string; good: boolean; text: string } | null>(null)
  const [busy, setBusy] = useState(false)
  const ask = async () => {
    setBusy(true)
    try {
      const r = await call<Answer>('POST', `${PUBLISHER}/apis/validate-endpoint`, { query: { endpointUrl: url } })
      const good = r.statusCode !== null && r.statusCode < 500
      setFound({ url, good, text: r.statusCode === null ? r.error : p('test.answered', r.statusCode, r.statusMessage) })
    } catch (e) {
      setFound({ url, good: false, text: explain(asRefusal(e)) })
    }
    setBusy(false)
  }
  return (
    <p class="actions">
      <button type="button" class="button small" aria-label={`${p('test')}: ${label}`} disabled={busy || !/^https?:\/\/./.test(url)} aria-busy={busy} onClick={ask}>{p('test')}</button>
      <span role="status" class={found && found.url === url && !found.good ? 'bad-text' : 'soft'}>{found && found.url === url ? found.text : ''}</span>
    </p>
  )
}

function Urls({ label, list, set, several }: { label: string; list: Endpoint[]; set: (list: Endpoint[]) => void; several: boolean }) {
  const shown = list.length ? list : [{ url: '' }]
  const put = (i: number, url: string) => set(shown.map((x, j) => (i === j ? { ...x, url } : x)).filter((x) => several || x.url))
  return (
    <>
      {(several ? shown : shown.slice(0, 1)).map((x, i) => (
        <div key={i} class="row">
          <Text label={several ? `${label} ${i + 1}` : label} type="url" value={x.url} set={(url) => put(i, url)} placeholder="https://backend.example.org/base" />
          <Test url={x.url} label={several ? `${label} ${i + 1}` : label} />
          {several && <button type="button" class="button small" aria-label={m('remove.word', x.url || String(i + 1))} disabled={!list.length} onClick={() => set(list.filter((_, j) => j !== i))}>{m('remove')}</button>}
        </div>
      ))}
      {several && <p><button type="button" class="button small" onClick={() => set([...shown, { url: '' }])}>{p('endpoint.add')}</button></p>}
    </>
  )
}

function Timeout({ list, set }: { list: Endpoint[]; set: (list: Endpoint[]) => void }) {
  const now = list[0]?.config?.actionDuration
  const put = (ms: string) => set(list.map((x) => {
    const { actionDuration: _, ...others } = x.config ?? {}
    return { ...x, config: ms ? { ...others, actionDuration: ms } : others }
  }))
  return list.some((x) => x.url)
    ? <Text label={p('timeout')} type="number" min={1} max={3600000} value={now === undefined || now === null ? '' : String(now)} set={put} hint={p('timeout.hint')} />
    : null
}

function Credentials({ value, set }: { value?: Security; set: (v: Security) => void }) {
  const kind = value?.enabled ? value.type.toUpperCase() : 'NONE'
  const put = (more: Partial<Security>) => set({ ...value!, ...more })
  const choose = (type: string) => set(type === 'NONE' ? { enabled: false, type: 'NONE' } : { enabled: true, type, ...(type === 'OAUTH' ? { grantType: 'CLIENT_CREDENTIALS' } : {}) })
  return (
    <>
      <Select label={p('credentials')} value={kind} set={choose} choices={['NONE', 'BASIC', 'OAUTH'].map((k) => [k, p(`credentials.${k}` as Key)])} />
      {kind === 'BASIC' && (
        <div class="pairs">
          <Text label={p('username')} value={value!.username ?? ''} set={(username) => put({ username })} autocomplete="off" />
          <Text label={p('password')} type="password" value={value!.password ?? ''} set={(password) => put({ password })} autocomplete="new-password" hint={p('secret.kept')} />
        </div>
      )}
      {kind === 'OAUTH' && <>
        <Text label={p('token.url')} type="url" value={value!.tokenUrl ?? ''} set={(tokenUrl) => put({ tokenUrl })} placeholder="https://" />
        <div class="pairs">
          <Text label={p('client.id')} value={value!.clientId ?? ''} set={(clientId) => put({ clientId })} autocomplete="off" />
          <Text label={p('client.secret')} type="password" value={value!.clientSecret ?? ''} set={(clientSecret) => put({ clientSecret })} autocomplete="new-password" hint={p('secret.kept')} />
        </div>
      </>}
    </>
  )
}

export function Endpoints({ e: { api, stored, change } }: { e: Editing }) {
  const config: EndpointConfig = api.endpointConfig ?? { endpoint_type: 'http' }
  const kind = kinds.includes(config.endpoint_type) ? config.endpoint_type : 'http'
  const put = (next: EndpointConfig) => change({ endpointConfig: next })
  return (
    <fieldset class="bare" disabled={!mayEdit(stored)}>
      <Section title={p('endpoints.title')} text={p(`kind.${kind}.text` as Key)}>
        <Select label={p('endpoints.kind')} value={kind} set={(k) => put(turn(config, k))} choices={kinds.map((k) => [k, p(`kind.${k}` as Key)])} />
      </Section>
      <div class="columns">
        {sides.map((side) => {
          const both = read(config, side)
          const set = (to: Partial<Both>) => put(write(config, side, { ...both, ...to }))
          const security = config.endpoint_security?.[side]
          const used = both.first.some((x) => x.url)
          return (
            <Section key={side} title={p(`side.${side}`)} text={p(`side.${side}.text`)}>
              <Urls label={p('endpoint.url')} list={both.first} set={(first) => set({ first })} several={kind === 'load_balance'} />
              {kind === 'failover' && <Urls label={p('endpoint.spare')} list={both.spare} set={(spare) => set({ spare })} several />}
              <Timeout list={both.first} set={(first) => set({ first })} />
              {(used || security?.enabled) && <Credentials value={security} set={(v) => put({ ...config, endpoint_security: { ...config.endpoint_security, [side]: v } })} />}
            </Section>
          )
        })}
      </div>
      <Section title={p('pass.title')} text={p('pass.text')}>
        <Check label={p('pass.check')} on={api.additionalProperties.some((x) => x.name === 'passCredentials' && x.value === 'true')}
          set={(yes) => {
            const others = api.additionalProperties.filter((x) => x.name !== 'passCredentials')
            change({ additionalProperties: yes ? [...others, { name: 'passCredentials', value: 'true', display: false }] : others })
          }} />
      </Section>
    </fieldset>
  )
}
