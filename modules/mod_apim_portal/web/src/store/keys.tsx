// SPDX-License-Identifier: Apache-2.0
// OAuth 2.0 keys of an application, for production or the sandbox.
import { useState } from 'preact/hooks'
import { get, post, put, remove, session, STORE, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { attempt, Checks, confirm, Dialog, Empty, FormEnd, say, Show, Text, useLoad, useSend, Value } from '../lib/ui'
import type { Application, Key, Token } from './types'
import { t } from './words'

const grantChoices = () => [
  ['client_credentials', t('grant.client_credentials')], ['authorization_code', t('grant.authorization_code')],
  ['refresh_token', t('grant.refresh_token')], ['urn:ietf:params:oauth:grant-type:device_code', t('grant.device_code')],
  ['urn:ietf:params:oauth:grant-type:token-exchange', t('grant.token_exchange')], ['password', t('grant.password')],
  ['implicit', t('grant.implicit')],
] as [string, string][]

/** What the Key Manager offers, and what the keys have already. */
const offeredChoices = (offered: string[] | undefined, had: string[]) =>
  grantChoices().filter(([grant]) => had.includes(grant) || offered?.includes(grant))

const lifetimeOf = (k?: Key) => String(k?.additionalProperties?.application_access_token_expiry_time ?? 3600)

interface Settings {
  grants: string[]
  callbackUrl: string
  lifetime: string
}

function SettingsFields({ value, set }: { value: Settings; set: (v: Settings) => void }) {
  const byCode = value.grants.includes('authorization_code') || value.grants.includes('implicit')
  const offered = useLoad(() => get<{ grantTypes: string[] }>(`${STORE}/settings`), [])
  return (
    <>
      <Checks legend={t('grants')} choices={offeredChoices(offered.data?.grantTypes, value.grants)} on={value.grants} set={(grants) => set({ ...value, grants })} />
      {byCode && <Text label={t('callback')} value={value.callbackUrl} set={(callbackUrl) => set({ ...value, callbackUrl })} hint={t('callback.hint')}
        placeholder="https://app.example.com/callback" required spellcheck={false} />}
      <Text label={t('token.lifetime')} value={value.lifetime} set={(lifetime) => set({ ...value, lifetime })} type="number" min={1} max={31536000} required />
    </>
  )
}

const settingsOf = (k?: Key): Settings => ({ grants: k?.supportedGrantTypes ?? ['client_credentials', 'refresh_token'], callbackUrl: k?.callbackUrl ?? '', lifetime: lifetimeOf(k) })

function NewKeys({ app, type, done }: { app: Application; type: Key['keyType']; done: (k: Key) => void }) {
  const [form, setForm] = useState(settingsOf())
  const { busy, error, submit } = useSend(async () => {
    done(await post<Key>(`${STORE}/applications/${app.applicationId}/generate-keys`, {
      keyType: type, grantTypesToBeSupported: form.grants, callbackUrl: form.callbackUrl.trim(), validityTime: Number(form.lifetime), scopes: [] }))
  })
  return (
    <section class="card narrow wide">
      <h2>{t('keys.new')}</h2>
      <p class="soft">{type === 'PRODUCTION' ? t('keys.production.text') : t('keys.sandbox.text')}</p>
      <form onSubmit={submit}>
        <SettingsFields value={form} set={setForm} />
        <FormEnd busy={busy} action={t('keys.generate')} error={error} />
      </form>
    </section>
  )
}

function KeySettings({ path, of, done }: { path: string; of: Key; done: () => void }) {
  const [form, setForm] = useState(settingsOf(of))
  const { busy, error, submit } = useSend(async () => {
    await put(path, { supportedGrantTypes: form.grants, callbackUrl: form.callbackUrl.trim(),
      additionalProperties: { application_access_token_expiry_time: Number(form.lifetime) } })
    say(t('saved'))
    done()
  })
  return (
    <section class="card">
      <h2>{t('keys.settings')}</h2>
      <form onSubmit={submit}>
        <SettingsFields value={form} set={setForm} />
        <FormEnd busy={busy} action={t('save')} error={error} />
      </form>
    </section>
  )
}

/** What to write to get a token. */
const tokenCommand = (k: Key, secret: string) =>
  `curl -u '${k.consumerKey}:${secret || '…'}' \\\n     -d grant_type=client_credentials \\\n     '${session.value!.tokenUrl}'`

function TokenDialog({ path, close }: { path: string; close: () => void }) {
  const [lifetime, setLifetime] = useState('3600')
  const [scopes, setScopes] = useState('')
  const [token, setToken] = useState<Token | null>(null)
  const { busy, error, submit } = useSend(async () => {
    setToken(await post<Token>(`${path}/generate-token`, { validityPeriod: Number(lifetime), scopes: scopes.split(/[\s,]+/).filter(Boolean) }))
  })
  return (
    <Dialog title={t('token.new')} close={close}>
      {token
        ? <>
            <p role="status">{t('token.made', number(token.validityTime))}</p>
            <Value label={t('token')} text={token.accessToken} secret />
            {token.tokenScopes?.length ? <p class="soft">{t('scopes')}: {token.tokenScopes.join(' ')}</p> : null}
            <div class="form-end"><button class="button primary" onClick={close}>{t('close')}</button></div>
          </>
        : <form onSubmit={submit}>
            <Text label={t('token.lifetime')} value={lifetime} set={setLifetime} type="number" min={1} max={31536000} required />
            <Text label={t('scopes')} value={scopes} set={setScopes} hint={t('scopes.hint')} spellcheck={false} />
            <FormEnd busy={busy} action={t('token.generate')} cancel={close} error={error} />
          </form>}
    </Dialog>
  )
}

/** A secret that is shown once: until one leaves. */
export function Secret({ consumerKey, secret, token }: { consumerKey?: string; secret: string; token?: Token | null }) {
  return (
    <div class="notice warn" role="status">
      <p><strong>{t('secret.once')}</strong> {t('secret.once.text')}</p>
      {consumerKey && <Value label={t('consumer.key')} text={consumerKey} />}
      <Value label={t('consumer.secret')} text={secret} secret />
      {token && <Value label={t('token.first', number(token.validityTime))} text={token.accessToken} secret />}
    </div>
  )
}

function KeyPanel({ app, of, fresh, changed, gone }: { app: Application; of: Key; fresh: Key | null; changed: () => void; gone: () => void }) {
  const [secret, setSecret] = useState(fresh?.consumerSecret ?? '')
  const [firstToken, setFirstToken] = useState(fresh?.token ?? null)
  const [asking, setAsking] = useState(false)
  const path = `${STORE}/applications/${app.applicationId}/oauth-keys/${of.keyMappingId}`
  const renew = async () => {
    if (!await confirm(t('secret.renew'), t('secret.renew.text'), t('secret.renew'))) return
    await attempt(async () => {
      const made = await post<Key>(`${path}/regenerate-secret`)
      setFirstToken(null)
      setSecret(made.consumerSecret)
    })
  }
  const drop = async () => {
    if (!await confirm(t('keys.delete'), t('keys.delete.text'), t('keys.delete'))) return
    if (await attempt(() => remove(path), t('keys.deleted'))) gone()
  }
  return (
    <div class="columns">
      <div>
        <section class="card">
          <div class="sectionhead"><h2>{t('keys')}</h2></div>
          <Value label={t('consumer.key')} text={of.consumerKey} />
          {secret ? <Secret secret={secret} token={firstToken} /> : <p class="soft">{t('secret.hidden')}</p>}
          <div class="actions">
            {of.supportedGrantTypes.includes('client_credentials') && <button class="button primary" onClick={() => setAsking(true)}>{t('token.generate')}</button>}
            <button class="button" onClick={renew}>{t('secret.renew')}</button>
            <button class="button danger" onClick={drop}>{t('keys.delete')}</button>
          </div>
        </section>
        <section class="card">
          <h2>{t('token.how')}</h2>
          <Value label={t('token.url')} text={session.value!.tokenUrl} />
          {of.supportedGrantTypes.includes('client_credentials') && <Value label="curl" text={tokenCommand(of, secret)} lines />}
        </section>
      </div>
      <KeySettings path={path} of={of} done={changed} />
      {asking && <TokenDialog path={path} close={() => setAsking(false)} />}
    </div>
  )
}

/** Keys that were asked for: they wait for approval, or were refused. */
function WaitingKeys({ app, of, done }: { app: Application; of: Key; done: () => void }) {
  const refused = of.keyState === 'REJECTED'
  const withdraw = async () => {
    if (!refused && !await confirm(t('keys.withdraw'), t('keys.withdraw.text'), t('keys.withdraw'))) return
    if (await attempt(() => remove(`${STORE}/applications/${app.applicationId}/oauth-keys/${of.keyMappingId}`))) done()
  }
  return (
    <Empty title={refused ? t('keys.refused') : t('keys.waiting')}>
      <p>{refused ? t('keys.refused.text') : t('keys.waiting.text')}</p>
      <button class="button" onClick={withdraw}>{refused ? t('keys.again') : t('keys.withdraw')}</button>
    </Empty>
  )
}

export function Keys({ app, type }: { app: Application; type: Key['keyType'] }) {
  const keys = useLoad(() => get<List<Key>>(`${STORE}/applications/${app.applicationId}/oauth-keys`), [app.applicationId])
  const [fresh, setFresh] = useState<Key | null>(null)
  if (app.status === 'REJECTED') return <Empty title={t('application.refused')}><p>{t('application.refused.text')}</p></Empty>
  if (!['APPROVED', 'DELETE_PENDING'].includes(app.status)) return <Empty title={t('application.waiting')}><p>{t('application.waiting.text')}</p></Empty>
  return (
    <Show of={keys} rows={3}>
      {(data) => {
        const mine = data.list.find((k) => k.keyType === type)
        if (mine && mine.keyState !== 'APPROVED') return <WaitingKeys app={app} of={mine} done={keys.reload} />
        return mine
          ? <KeyPanel key={mine.keyMappingId} app={app} of={mine} fresh={fresh} changed={keys.reload} gone={() => { setFresh(null); keys.reload() }} />
          : <NewKeys app={app} type={type} done={async (k) => { setFresh(k); say(k.keyState === 'APPROVED' ? t('keys.made') : t('keys.waiting')); await keys.reload() }} />
      }}
    </Show>
  )
}
