// SPDX-License-Identifier: Apache-2.0
// Documents of an API that the caller may read.
import { get, raw, STORE, type List } from '../lib/api'
import { date } from '../lib/i18n'
import { Markdown } from '../lib/markdown'
import { Link } from '../lib/router'
import { attempt, Badge, Empty, enc, Show, useLoad } from '../lib/ui'
import type { Api } from './types'
import { t } from './words'

interface Document {
  documentId: string
  name: string
  type: string
  otherTypeName?: string | null
  summary: string
  sourceType: 'INLINE' | 'MARKDOWN' | 'URL' | 'FILE'
  sourceUrl?: string | null
  fileName?: string | null
  lastUpdatedTime?: string
  createdTime?: string
}

const kinds = { HOWTO: 'document.HOWTO', SAMPLES: 'document.SAMPLES', PUBLIC_FORUM: 'document.PUBLIC_FORUM', SUPPORT_FORUM: 'document.SUPPORT_FORUM',
  API_MESSAGE_FORMAT: 'document.API_MESSAGE_FORMAT', OTHER: 'document.OTHER' } as const
const kindOf = (d: Document) => d.otherTypeName || t(kinds[d.type as keyof typeof kinds] ?? 'document.OTHER')

/** Files need the session, which a plain link does not carry. */
async function download(path: string, name: string) {
  const url = URL.createObjectURL(await (await raw('GET', path)).blob())
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

function Row({ api, of }: { api: Api; of: Document }) {
  const path = `${STORE}/apis/${api.id}/documents/${of.documentId}/content`
  const open = of.sourceType === 'URL' && /^https?:\/\//i.test(of.sourceUrl ?? '')
    ? <a class="button small" href={of.sourceUrl!} target="_blank" rel="noopener noreferrer">{t('document.open')}</a>
    : of.sourceType === 'FILE'
      ? <button class="button small" onClick={() => attempt(() => download(path, of.fileName || of.name))}>{t('download')}</button>
      : <Link class="button small" href={`/store/apis/${api.id}/documents?document=${enc(of.documentId)}`}>{t('document.read')}</Link>
  return (
    <li class="document">
      <div>
        <h3>{of.name}</h3>
        <p class="soft"><Badge>{kindOf(of)}</Badge> {date(of.lastUpdatedTime || of.createdTime)}</p>
        {of.summary && <p>{of.summary}</p>}
      </div>
      {open}
    </li>
  )
}

function Reader({ api, of }: { api: Api; of: Document }) {
  const text = useLoad(async () => (await raw('GET', `${STORE}/apis/${api.id}/documents/${of.documentId}/content`)).text(), [of.documentId])
  return (
    <article class="card">
      <p class="crumbs"><Link href={`/store/apis/${api.id}/documents`}>← {t('documents')}</Link></p>
      <h2>{of.name}</h2>
      {of.summary && <p class="soft">{of.summary}</p>}
      <Show of={text} rows={3}>{(x) => (x.trim() ? of.sourceType === 'MARKDOWN' ? <Markdown text={x} /> : <p class="long">{x}</p> : <p class="soft">{t('document.empty')}</p>)}</Show>
    </article>
  )
}

export function Documents({ api, chosen }: { api: Api; chosen: string }) {
  const list = useLoad(() => get<List<Document>>(`${STORE}/apis/${api.id}/documents`, { limit: 1000 }), [api.id])
  return (
    <Show of={list} rows={3}>
      {(data) => {
        const one = data.list.find((d) => d.documentId === chosen && (d.sourceType === 'INLINE' || d.sourceType === 'MARKDOWN'))
        if (one) return <Reader key={one.documentId} api={api} of={one} />
        if (data.list.length === 0) return <Empty title={t('documents.none')}><p>{t('documents.none.text')}</p></Empty>
        return <section class="card"><h2>{t('documents')}</h2><ul class="plainlist">{data.list.map((d) => <Row key={d.documentId} api={api} of={d} />)}</ul></section>
      }}
    </Show>
  )
}
