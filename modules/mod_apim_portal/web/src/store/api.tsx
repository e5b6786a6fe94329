// SPDX-License-Identifier: Apache-2.0
// One API: what it is, its operations, trying it out, subscribing.
import { get, has, session, STORE, type List } from '../lib/api'
import { date } from '../lib/i18n'
import { Markdown } from '../lib/markdown'
import { operations } from '../lib/openapi'
import { Link, place } from '../lib/router'
import { Badge, Empty, Show, State, Tabs, Title, useLoad, Value } from '../lib/ui'
import { Console } from './console'
import { Documents } from './documents'
import { Comments, Rating, Stars } from './feedback'
import { Operations } from './operations'
import { Subscribe } from './subscribe'
import { Thumbnail } from './thumbnail'
import { baseUrl, type Api, type ApiItem } from './types'
import { t } from './words'

function Overview({ api }: { api: Api }) {
  const b = api.businessInformation ?? {}
  const mail = (m?: string | null) => (m && /^[^\s@]+@[^\s@]+$/.test(m) ? <a href={`mailto:${m}`}>{m}</a> : m)
  return (
    <div class="columns wide-left">
      <div>
      <section class="card">
        <h2>{t('about')}</h2>
        {api.description ? <Markdown text={api.description} /> : <p class="soft">{t('no.description')}</p>}
        {api.tags.length > 0 && <p class="badges">{api.tags.map((x) => <Link key={x} class="badge" href={`/store/?tag=${encodeURIComponent(x)}`}>{x}</Link>)}</p>}
        {baseUrl(api) ? <Value label={t('base.url')} text={baseUrl(api)!} /> : <p class="notice">{t('not.deployed')}</p>}
        {api.endpointURLs.slice(1).map((e) => {
          const url = e.URLs.https ?? e.URLs.http
          return url && <Value key={e.environmentName} label={e.environmentDisplayName} text={url} />
        })}
      </section>
      <Versions api={api} />
      </div>
      <div>
      <section class="card">
        <h2>{t('facts')}</h2>
        <dl class="facts">
          <dt>{t('provider')}</dt><dd>{api.provider}</dd>
          <dt>{t('version')}</dt><dd>{api.version}{api.isDefaultVersion && ` (${t('default.version')})`}</dd>
          <dt>{t('changed')}</dt><dd>{date(api.lastUpdatedTime)}</dd>
          <dt>{t('security')}</dt><dd>{[api.securityScheme.includes('oauth2') && 'OAuth 2.0', api.securityScheme.includes('api_key') && t('api.key')].filter(Boolean).join(', ') || '–'}</dd>
          {!!api.categories?.length && <><dt>{t('category')}</dt><dd>{api.categories.map((c, i) => <>{i > 0 && ', '}<Link key={c} href={`/store/?category=${encodeURIComponent(c)}`}>{c}</Link></>)}</dd></>}
          <dt>{t('tiers')}</dt><dd>{api.tiers.map((x) => x.tierName).join(', ') || '–'}</dd>
          {b.businessOwner && <><dt>{t('business.owner')}</dt><dd>{b.businessOwner} {mail(b.businessOwnerEmail)}</dd></>}
          {b.technicalOwner && <><dt>{t('technical.owner')}</dt><dd>{b.technicalOwner} {mail(b.technicalOwnerEmail)}</dd></>}
        </dl>
        {api.scopes.length > 0 && <>
          <h3>{t('scopes')}</h3>
          <ul class="plainlist">{api.scopes.map((s) => <li key={s.key}><code>{s.key}</code> {s.description}</li>)}</ul>
        </>}
        <p><a class="button" href={`${STORE}/apis/${api.id}/swagger`} download={`${api.name}-${api.version}.json`}>{t('download.definition')}</a></p>
      </section>
      <Rating api={api} />
      </div>
    </div>
  )
}

/** Other versions of the same API, newest first. */
function Versions({ api }: { api: Api }) {
  const all = useLoad(() => get<List<ApiItem>>(`${STORE}/apis`, { query: `name:"${api.name}"`, sortBy: 'createdTime', limit: 50 }), [api.name])
  const list = (all.data?.list ?? []).filter((a) => a.provider === api.provider)
  if (list.length < 2) return null
  return (
    <section class="card">
      <h2>{t('versions')}</h2>
      <ul class="plainlist">
        {list.map((a) => (
          <li key={a.id}>
            {a.id === api.id ? <><strong>{a.version}</strong> <span class="soft">({t('versions.this')})</span></> : <Link href={`/store/apis/${a.id}`}>{a.version}</Link>}
            {' '}{a.lifeCycleStatus !== 'PUBLISHED' && <State of={a.lifeCycleStatus} />}
          </li>
        ))}
      </ul>
    </section>
  )
}

function WithDefinition({ api, console }: { api: Api; console: boolean }) {
  const definition = useLoad(async () => operations(await get(`${STORE}/apis/${api.id}/swagger`)), [api.id])
  return (
    <Show of={definition} rows={5}>
      {(list) => list.length === 0 ? <Empty title={t('operations.none')} /> : console ? <Console api={api} operations={list} /> : <Operations api={api} list={list} />}
    </Show>
  )
}

export function ApiPage({ id, tab }: { id: string; tab: string }) {
  const api = useLoad(() => get<Api>(`${STORE}/apis/${encodeURIComponent(id)}`), [id, session.value?.username])
  const mayTry = api.data && baseUrl(api.data)
  return (
    <Show of={api} rows={5} title={t('api')}>
      {(a) => (
        <>
          <div class="head">
            <Thumbnail of={a} large />
            <Title text={a.name} sub={<>{a.version} · {a.provider} <Stars average={a.avgRating} /> {a.lifeCycleStatus !== 'PUBLISHED' && <State of={a.lifeCycleStatus} />}{a.isDefaultVersion && <Badge>{t('default.version')}</Badge>}</>}>
              {tab !== 'subscribe' && a.lifeCycleStatus === 'PUBLISHED' && (!session.value?.username || has('apim:subscribe', 'apim:sub_manage')) &&
                <Link class="button primary" href={`/store/apis/${id}/subscribe`}>{t('subscribe')}</Link>}
            </Title>
          </div>
          <Tabs label={a.name} base={`/store/apis/${id}`} now={tab}
            tabs={[['', t('overview')], ['operations', t('operations')], ...(mayTry ? [['try', t('try')] as [string, string]] : []), ['subscribe', t('subscribe.tab')], ['documents', t('documents')], ['comments', t('comments')]]} />
          {tab === '' && <Overview api={a} />}
          {tab === 'operations' && <WithDefinition api={a} console={false} />}
          {tab === 'try' && mayTry && <WithDefinition api={a} console />}
          {tab === 'subscribe' && <Subscribe api={a} />}
          {tab === 'documents' && <Documents api={a} chosen={place.value.query.get('document') ?? ''} />}
          {tab === 'comments' && <Comments api={a} />}
          {!['', 'operations', 'subscribe', 'documents', 'comments'].includes(tab) && !(tab === 'try' && mayTry) && <Empty title={t('nowhere')} />}
        </>
      )}
    </Show>
  )
}
