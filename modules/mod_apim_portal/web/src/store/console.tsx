// SPDX-License-Identifier: Apache-2.0
// Calling an API through the gateway, with a token of an application of one's own.
import { useEffect, useState } from 'preact/hooks'
import { get, has, logInUrl, post, session, STORE, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { byTag, type Operation, type Parameter } from '../lib/openapi'
import { Link, place, setQuery } from '../lib/router'
import { asRefusal, attempt, Copy, explain, Field, Select, Show, Text, useLoad, useSend, Verb } from '../lib/ui'
import { testApiKey } from './api_keys'
import { Secret } from './keys'
import { languages, type Call } from './snippets'
import { baseUrl, type Api, type Key, type Subscription, type Token } from './types'
import { t } from './words'

// -- what is sent --------------------------------------------------------------------------------------------------

type Kind = 'oauth2' | 'api_key'
interface Credential {
  kind: Kind
  text: string
}

/** The call as the form says it; parameters that are left empty are left out. */
function callOf(api: Api, op: Operation, values: Record<string, string>, body: string, credential: Credential): Call {
  const given = (p: Parameter) => values[`${p.in} ${p.name}`] ?? ''
  const path = op.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values[`path ${name}`] || `{${name}}`).replace(/%7B|%7D/g, decodeURIComponent))
  const query = new URLSearchParams(op.parameters.filter((p) => p.in === 'query' && given(p)).map((p) => [p.name, given(p)])).toString()
  const headers = op.parameters.filter((p) => p.in === 'header' && given(p)).map((p) => [p.name, given(p)] as [string, string])
  const withBody = op.body && op.verb !== 'GET' && op.verb !== 'HEAD'
  if (withBody) headers.push(['Content-Type', op.body!.type])
  if (credential.text) {
    headers.push(credential.kind === 'api_key' ? [api.apiKeyHeader || 'ApiKey', credential.text] : [api.authorizationHeader || 'Authorization', `Bearer ${credential.text}`])
  }
  return { method: op.verb, url: baseUrl(api)! + path + (query ? '?' + query : ''), headers, ...(withBody ? { body } : {}) }
}

// -- what comes back -------------------------------------------------------------------------------------------------

const MAX_SHOWN = 200_000

interface Answer {
  status: number
  reason: string
  ms: number
  bytes: number
  headers: [string, string][]
  text: string
}

function pretty(text: string, type: string) {
  if (!type.includes('json')) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

async function send(call: Call): Promise<Answer> {
  const began = performance.now()
  const r = await fetch(call.url, { method: call.method, headers: call.headers, body: call.body, credentials: 'omit', cache: 'no-store' })
  const blob = await r.blob()
  const ms = performance.now() - began
  const type = r.headers.get('Content-Type') ?? ''
  const readable = !type || /text|json|xml|javascript|yaml|csv|urlencoded/.test(type)
  const text = readable ? (await blob.slice(0, MAX_SHOWN).text()) : ''
  return { status: r.status, reason: r.statusText, ms, bytes: blob.size, headers: [...r.headers], text: blob.size > MAX_SHOWN ? text : pretty(text, type) }
}

function AnswerView({ of }: { of: Answer }) {
  const good = of.status < 300
  return (
    <>
      <p class="status"><span class={`badge ${good ? 'good' : of.status < 500 ? 'warn' : 'bad'}`}>{of.status} {of.reason}</span>
        <span class="soft">{t('milliseconds', number(Math.round(of.ms)))} · {t('bytes', number(of.bytes))}</span>
        {of.text && <Copy text={of.text} />}</p>
      {of.status === 401 && <p class="notice warn">{t('answer.401')}</p>}
      {of.status === 403 && <p class="notice warn">{t('answer.403')}</p>}
      {of.status === 429 && <p class="notice warn">{t('answer.429')}</p>}
      {of.text ? <pre class="dark" tabIndex={0} aria-label={t('answer.body')}>{of.text}</pre> : of.bytes > 0 && <p class="soft">{t('answer.binary')}</p>}
      {of.bytes > MAX_SHOWN && of.text && <p class="soft">{t('answer.cut')}</p>}
      {of.headers.length > 0 && (
        <details>
          <summary>{t('answer.headers')}</summary>
          <dl class="facts">{of.headers.map(([n, v]) => <><dt><code>{n}</code></dt><dd>{v}</dd></>)}</dl>
        </details>
      )}
    </>
  )
}

// -- credentials -----------------------------------------------------------------------------------------------------

function TestToken({ api, kind, subscriptions, set }: { api: Api; kind: Kind; subscriptions: Subscription[]; set: (text: string) => void }) {
  const usable = subscriptions.filter((s) => s.status !== 'BLOCKED' && s.status !== 'ON_HOLD' && s.status !== 'REJECTED')
  const [app, setApp] = useState(usable[0]?.applicationId ?? '')
  const [type, setType] = useState<Key['keyType']>('PRODUCTION')
  const [made, setMade] = useState<Key | null>(null)
  const [busy, setBusy] = useState(false)
  if (usable.length === 0) {
    return <p class="notice">{t('try.subscribe.first')} <Link href={`/store/apis/${api.id}/subscribe`}>{t('subscribe')}</Link></p>
  }
  const ask = async () => {
    setBusy(true)
    setMade(null)
    if (kind === 'api_key') set(await testApiKey(app, type))
    else await attempt(async () => set(await testToken(api, app, type, setMade)))
    setBusy(false)
  }
  return (
    <>
      <div class="pair">
        <Select label={t('application')} value={app} set={setApp} choices={usable.map((s) => [s.applicationId, s.applicationInfo?.name ?? ''])} />
        <Select label={t('key.type')} value={type} set={(v) => setType(v as Key['keyType'])} choices={[['PRODUCTION', t('keys.production')], ['SANDBOX', t('keys.sandbox')]]} />
      </div>
      <p><button type="button" class="button" disabled={busy} aria-busy={busy} onClick={ask}>{kind === 'api_key' ? t('try.key') : t('try.token')}</button></p>
      {made && <><p>{t('try.keys.made')}</p><Secret consumerKey={made.consumerKey} secret={made.consumerSecret} /></>}
    </>
  )
}

/** A token with the API's scopes; an application without keys of this type gets some. */
async function testToken(api: Api, app: string, type: Key['keyType'], made: (k: Key) => void): Promise<string> {
  const base = `${STORE}/applications/${app}`
  const keys = await get<List<Key>>(`${base}/oauth-keys`)
  let key = keys.list.find((k) => k.keyType === type)
  if (!key) {
    key = await post<Key>(`${base}/generate-keys`, { keyType: type, grantTypesToBeSupported: ['client_credentials', 'refresh_token'], callbackUrl: '', validityTime: 3600, scopes: [] })
    made(key)
  }
  const token = await post<Token>(`${base}/oauth-keys/${key.keyMappingId}/generate-token`, { validityPeriod: 3600, scopes: api.scopes.map((s) => s.key) })
  return token.accessToken
}

function Credentials({ api, value, set }: { api: Api; value: Credential; set: (c: Credential) => void }) {
  const keys = api.securityScheme.includes('api_key')
  const tokens = api.securityScheme.includes('oauth2') || !keys
  const mine = useLoad(async () => (session.value!.username && has('apim:subscribe', 'apim:sub_manage')
    ? (await get<List<Subscription>>(`${STORE}/subscriptions`, { apiId: api.id, limit: 1000 })).list : null), [api.id, session.value!.username])
  return (
    <section class="card">
      <h2>{t('try.credential')}</h2>
      {keys && tokens && (
        <div class="switch" role="group" aria-label={t('try.credential')}>
          {(['oauth2', 'api_key'] as Kind[]).map((k) => (
            <button key={k} type="button" class="button small" aria-pressed={value.kind === k} onClick={() => set({ kind: k, text: '' })}>{k === 'oauth2' ? t('token') : t('api.key')}</button>
          ))}
        </div>
      )}
      {api.lifeCycleStatus !== 'PROTOTYPED' && (session.value!.username
        ? <Show of={mine} rows={1}>{(list) => list && <TestToken key={value.kind} api={api} kind={value.kind} subscriptions={list} set={(text) => set({ ...value, text })} />}</Show>
        : <p class="notice">{t('try.login')} <a href={logInUrl()}>{t('login')}</a></p>)}
      <Text label={value.kind === 'api_key' ? t('api.key') : t('token')} value={value.text} set={(text) => set({ ...value, text: text.trim() })} hint={t('try.credential.hint')}
        autocomplete="off" spellcheck={false} class="mono" />
    </section>
  )
}

// -- the form ----------------------------------------------------------------------------------------------------------

function ParameterField({ of, value, set }: { of: Parameter; value: string; set: (v: string) => void }) {
  const label = of.name + (of.required ? ` (${t('required')})` : '')
  const hint = [of.in, of.type, of.description].filter(Boolean).join(' · ')
  if (of.choices.length) return <Select label={label} hint={hint} value={value} set={set} choices={[['', '–'], ...of.choices.map((c) => [c, c] as [string, string])]} required={of.required} />
  return <Text label={label} hint={hint} value={value} set={set} required={of.required} spellcheck={false} />
}

const firstValues = (op: Operation) => Object.fromEntries(op.parameters.filter((p) => p.required).map((p) => [`${p.in} ${p.name}`, p.example]))

function OperationForm({ api, op, credential }: { api: Api; op: Operation; credential: Credential }) {
  const [values, setValues] = useState<Record<string, string>>(firstValues(op))
  const [body, setBody] = useState(op.body?.example ?? '')
  const [answer, setAnswer] = useState<Answer | null>(null)
  const call = callOf(api, op, values, body, credential)
  const { busy, error, submit } = useSend(async () => {
    setAnswer(null)
    try {
      setAnswer(await send(call))
    } catch (e) {
      throw e instanceof TypeError ? asRefusal(new Error(t('try.unreachable', new URL(call.url).origin))) : e
    }
  })
  return (
    <>
      <form class="card" onSubmit={submit}>
        <h2>{t('try.request')}</h2>
        <div class="requestline"><Verb verb={op.verb} /><code>{call.url}</code></div>
        {op.summary && <p class="soft">{op.summary}</p>}
        {op.parameters.map((p) => {
          const id = `${p.in} ${p.name}`
          return <ParameterField key={id} of={p} value={values[id] ?? ''} set={(v) => setValues({ ...values, [id]: v })} />
        })}
        {op.body && <Text label={`${t('body')} (${op.body.type})`} value={body} set={setBody} rows={Math.min(14, body.split('\n').length + 1)} spellcheck={false} class="mono" />}
        <div class="form-end"><button class="button primary" disabled={busy} aria-busy={busy}>{t('try.send')}</button></div>
      </form>
      <section class="card answer" aria-live="polite">
        <h2>{t('answer')}</h2>
        {error && <p class="notice bad">{explain(error).replace(/^Error: /, '')}</p>}
        {answer ? <AnswerView of={answer} /> : !error && <p class="soft">{busy ? t('loading') : t('answer.none')}</p>}
      </section>
      <Snippets call={call} />
    </>
  )
}

function Snippets({ call }: { call: Call }) {
  const [which, setWhich] = useState(0)
  const text = languages[which][1](call)
  return (
    <section class="card">
      <h2>{t('snippets')}</h2>
      <div class="switch" role="group" aria-label={t('snippets')}>
        {languages.map(([name], i) => <button key={name} type="button" class="button small" aria-pressed={i === which} onClick={() => setWhich(i)}>{name}</button>)}
      </div>
      <pre class="dark" tabIndex={0} aria-label={languages[which][0]}>{text}</pre>
      <p><Copy text={text} /></p>
    </section>
  )
}

export function Console({ api, operations }: { api: Api; operations: Operation[] }) {
  const wanted = place.value.query.get('operation') ?? ''
  const op = operations.find((o) => o.id === wanted) ?? operations[0]
  const [credential, setCredential] = useState<Credential>({ kind: api.securityScheme.includes('oauth2') || !api.securityScheme.includes('api_key') ? 'oauth2' : 'api_key', text: '' })
  const groups = byTag(operations)
  const option = (o: Operation) => <option key={o.id} value={o.id}>{o.verb} {o.path}</option>
  useEffect(() => { if (wanted && op.id !== wanted) setQuery({ operation: '' }) }, [wanted])
  return (
    <div class="console">
      <div>
        <section class="card">
          <h2>{t('operation')}</h2>
          <Field label={t('try.operation')}>
            {(id) => (
              <select {...id} value={op.id} onChange={(e) => setQuery({ operation: e.currentTarget.value })}>
                {[...groups].map(([tag, ops]) => (tag ? <optgroup key={tag} label={tag}>{ops.map(option)}</optgroup> : ops.map(option)))}
              </select>
            )}
          </Field>
        </section>
        <Credentials api={api} value={credential} set={setCredential} />
      </div>
      <div><OperationForm key={op.id} api={api} op={op} credential={credential} /></div>
    </div>
  )
}
