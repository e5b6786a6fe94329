// SPDX-License-Identifier: Apache-2.0
// API keys of an application: credentials without a log-in, bound to addresses or referrers if one wants.
import { useState } from 'preact/hooks'
import { post, STORE } from '../lib/api'
import { attempt, FormEnd, say, Select, Text, useSend, Value } from '../lib/ui'
import type { Application } from './types'
import { t } from './words'

const DAY = 86400
const types = () => [['PRODUCTION', t('keys.production')], ['SANDBOX', t('keys.sandbox')]] as [string, string][]

function Generate({ app }: { app: Application }) {
  const [type, setType] = useState('PRODUCTION')
  const [name, setName] = useState('')
  const [validity, setValidity] = useState(String(30 * DAY))
  const [ips, setIps] = useState('')
  const [referrers, setReferrers] = useState('')
  const [made, setMade] = useState<string | null>(null)
  const list = (text: string) => text.split(/[\s,]+/).filter(Boolean).join(',')
  const { busy, error, submit } = useSend(async () => {
    const key = await post<{ apikey: string }>(`${STORE}/applications/${app.applicationId}/api-keys/${type}/generate`, {
      ...(name.trim() ? { keyName: name.trim() } : {}), validityPeriod: Number(validity), additionalProperties: { permittedIP: list(ips), permittedReferer: list(referrers) } })
    setMade(key.apikey)
    say(t('api.key.made'))
  })
  return (
    <section class="card">
      <h2>{t('api.key.new')}</h2>
      <p class="soft">{t('api.key.text')}</p>
      <form onSubmit={submit}>
        <div class="pair">
          <Select label={t('key.type')} value={type} set={setType} choices={types()} />
          <Select label={t('api.key.validity')} value={validity} set={setValidity} choices={[
            [String(DAY), t('days', 1)], [String(30 * DAY), t('days.many', 30)], [String(90 * DAY), t('days.many', 90)], [String(365 * DAY), t('days.many', 365)], ['-1', t('forever')]]} />
        </div>
        <Text label={t('api.key.name')} value={name} set={setName} maxLength={100} />
        <Text label={t('api.key.ips')} value={ips} set={setIps} hint={t('api.key.ips.hint')} placeholder="192.0.2.10, 2001:db8::/32" spellcheck={false} />
        <Text label={t('api.key.referrers')} value={referrers} set={setReferrers} hint={t('api.key.referrers.hint')} placeholder="https://app.example.com/*" spellcheck={false} />
        <FormEnd busy={busy} action={t('api.key.generate')} error={error} />
      </form>
      {made && (
        <div class="notice warn" role="status">
          <p><strong>{t('secret.once')}</strong> {t('api.key.once.text')}</p>
          <Value label={t('api.key')} text={made} secret />
        </div>
      )}
    </section>
  )
}

function Revoke({ app }: { app: Application }) {
  const [key, setKey] = useState('')
  const { busy, error, submit } = useSend(async () => {
    await post(`${STORE}/applications/${app.applicationId}/api-keys/PRODUCTION/revoke`, { apikey: key.trim() })
    setKey('')
    say(t('api.key.revoked'))
  })
  return (
    <section class="card">
      <h2>{t('api.key.revoke')}</h2>
      <p class="soft">{t('api.key.revoke.text')}</p>
      <form onSubmit={submit}>
        <Text label={t('api.key')} value={key} set={setKey} rows={3} required spellcheck={false} />
        <FormEnd busy={busy} action={t('api.key.revoke')} error={error} />
      </form>
    </section>
  )
}

export const ApiKeys = ({ app }: { app: Application }) => <div class="columns wide-left"><Generate app={app} /><Revoke app={app} /></div>

/** A key for an hour, for trying an API out; '' if that was refused (and said). */
export async function testApiKey(application: string, type: string): Promise<string> {
  let key = ''
  await attempt(async () => {
    key = (await post<{ apikey: string }>(`${STORE}/applications/${application}/api-keys/${type}/generate`, { validityPeriod: 3600, additionalProperties: {} })).apikey
  })
  return key
}
