// SPDX-License-Identifier: Apache-2.0
// What gateways do with calls: who calls how, from which sites, how many reach the back end.
import { Check, Checks, Field, Text } from '../lib/ui'
import { Section, WordsField } from '../manage/parts'
import { m } from '../manage/words'
import { mayEdit, type Editing } from './draft'
import type { Api, Cors, MaxTps } from './types'
import { p } from './words'

const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE']

function CorsFields({ cors, set }: { cors: Cors; set: (c: Cors) => void }) {
  const put = (more: Partial<Cors>) => set({ ...cors, ...more })
  return (
    <Section title="CORS" text={p('cors.text')}>
      <Check label={p('cors.on')} on={cors.corsConfigurationEnabled} set={(corsConfigurationEnabled) => put({ corsConfigurationEnabled })} />
      {cors.corsConfigurationEnabled && <>
        <WordsField label={p('cors.origins')} value={cors.accessControlAllowOrigins} set={(x) => put({ accessControlAllowOrigins: x })} hint={p('cors.origins.hint')} />
        <Checks legend={p('cors.methods')} choices={methods} on={cors.accessControlAllowMethods} set={(x) => put({ accessControlAllowMethods: x })} />
        <WordsField label={p('cors.headers')} value={cors.accessControlAllowHeaders} set={(x) => put({ accessControlAllowHeaders: x })} />
        <Check label={p('cors.credentials')} on={cors.accessControlAllowCredentials} set={(x) => put({ accessControlAllowCredentials: x })} />
      </>}
    </Section>
  )
}

function Throughput({ api, change }: { api: Api; change: (c: Partial<Api>) => void }) {
  const now: MaxTps = api.maxTps ?? {}
  const put = (more: MaxTps) => {
    const next = { ...now, ...more }
    const empty = !next.production && !next.sandbox
    change({ maxTps: empty ? null : next })
  }
  const one = (side: 'production' | 'sandbox') => (
    <Field key={side} label={p(`side.${side}`)}>
      {(id) => (
        <div class="amount">
          <input {...id} type="number" min={0} max={1000000000} placeholder={p('unlimited')} value={now[side] ?? ''} onInput={(e) => put({ [side]: e.currentTarget.value ? Number(e.currentTarget.value) : null })} />
          <select aria-label={`${p(`side.${side}`)}: ${p('per')}`} value={now[`${side}TimeUnit`] ?? 'SECOND'} onChange={(e) => put({ [`${side}TimeUnit`]: e.currentTarget.value })}>
            <option value="SECOND">{p('per.unit', m('unit.sec'))}</option>
            <option value="MINUTE">{p('per.unit', m('unit.min'))}</option>
            <option value="HOUR">{p('per.unit', m('unit.hour'))}</option>
          </select>
        </div>
      )}
    </Field>
  )
  return <Section title={p('throughput')} text={p('throughput.text')}><div class="pairs">{one('production')}{one('sandbox')}</div></Section>
}

export function Runtime({ e: { api, stored, change } }: { e: Editing }) {
  const has = (s: string) => api.securityScheme.includes(s)
  const scheme = (s: string) => (yes: boolean) => change({ securityScheme: yes ? [...api.securityScheme, s] : api.securityScheme.filter((x) => x !== s) })
  return (
    <fieldset class="columns bare" disabled={!mayEdit(stored)}>
      <Section title={p('security')} text={p('security.text')}>
        <Check label={p('security.oauth2')} on={has('oauth2')} set={scheme('oauth2')} />
        <Check label={p('security.api_key')} on={has('api_key')} set={scheme('api_key')} />
        {!has('oauth2') && !has('api_key') && <p class="bad-text" role="alert">{p('security.none')}</p>}
        <div class="pairs">
          <Text label={p('header.token')} value={api.authorizationHeader} set={(x) => change({ authorizationHeader: x })} />
          <Text label={p('header.key')} value={api.apiKeyHeader} set={(x) => change({ apiKeyHeader: x })} />
        </div>
      </Section>
      <Section title={p('transports')} text={p('transports.text')}>
        <Checks legend={p('transports')} choices={[['http', 'HTTP'], ['https', 'HTTPS']]} on={api.transport} set={(transport) => change({ transport })} />
      </Section>
      <CorsFields cors={api.corsConfiguration} set={(corsConfiguration) => change({ corsConfiguration })} />
      <Throughput api={api} change={change} />
    </fieldset>
  )
}
