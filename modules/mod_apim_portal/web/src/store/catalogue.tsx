// SPDX-License-Identifier: Apache-2.0
// The APIs one may see: search, tags, newest first.
import { get, STORE, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { Link, place, setQuery } from '../lib/router'
import { Badge, Empty, Pager, pageOffset, pageSize, Search, Show, State, Title, useLoad } from '../lib/ui'
import { Stars } from './feedback'
import { Thumbnail } from './thumbnail'
import type { ApiItem } from './types'
import { t } from './words'

function Card({ api }: { api: ApiItem }) {
  return (
    <li class="card link">
      <Thumbnail of={api} />
      <div>
        <h2><Link href={`/store/apis/${api.id}`}>{api.name}</Link></h2>
        <p class="soft">{api.version} · {api.provider} <Stars average={api.avgRating} /></p>
      </div>
      <p class="text">{api.description || <span class="soft">{t('no.description')}</span>}</p>
      <p class="badges">
        {api.lifeCycleStatus !== 'PUBLISHED' && <State of={api.lifeCycleStatus} />}
        {api.tags?.slice(0, 4).map((x) => <Badge key={x}>{x}</Badge>)}
      </p>
    </li>
  )
}

function TagList({ now }: { now: string }) {
  const tags = useLoad(() => get<List<{ value: string; count: number }>>(`${STORE}/tags`, { limit: 40 }), [])
  if (!tags.data?.list.length) return null
  return (
    <ul class="tags" aria-label={t('tags')}>
      {tags.data.list.map((x) => (
        <li key={x.value}>
          <button class="tag" aria-pressed={x.value === now} onClick={() => setQuery({ tag: x.value === now ? '' : x.value, page: '' }, false)}>
            {x.value} <span>{number(x.count)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

const sorts: Record<string, string | undefined> = { new: 'createdTime', rating: 'rating' }

/** Categories that the administrator made; nothing where there are none. */
function Category({ now }: { now: string }) {
  const all = useLoad(() => get<List<{ name: string }>>(`${STORE}/api-categories`, { limit: 200 }), [])
  const names = (all.data?.list ?? []).map((c) => c.name)
  if (!names.length && !now) return null
  return (
    <label class="inline">{t('category')}
      <select value={now} onChange={(e) => setQuery({ category: e.currentTarget.value, page: '' }, false)}>
        <option value="">{t('category.all')}</option>
        {[...names, ...(now && !names.includes(now) ? [now] : [])].map((n) => <option key={n} value={n}>{n}</option>)}
      </select>
    </label>
  )
}

/** A condition on a value as a whole. */
const exactly = (field: string, value: string) => value && `${field}:"${value.replace(/"/g, '')}"`

export function Catalogue() {
  const q = place.value.query.get('q') ?? ''
  const tag = place.value.query.get('tag') ?? ''
  const sort = place.value.query.get('sort') ?? ''
  const offset = pageOffset()
  const category = place.value.query.get('category') ?? ''
  const query = [q, exactly('tag', tag), exactly('api-category', category)].filter(Boolean).join(' ')
  const apis = useLoad(() => get<List<ApiItem>>(`${STORE}/apis`, { query, limit: pageSize, offset, sortBy: sorts[sort], sortOrder: sorts[sort] && 'desc' }),
    [query, offset, sort])
  return (
    <>
      <Title text={t('apis')} sub={t('catalogue.sub')} />
      <div class="toolbar">
        <Search label={t('search.apis')} />
        <Category now={category} />
        <label class="inline">{t('sort')}
          <select value={sort} onChange={(e) => setQuery({ sort: e.currentTarget.value, page: '' }, false)}>
            <option value="">{t('sort.name')}</option>
            <option value="new">{t('sort.new')}</option>
            <option value="rating">{t('sort.rating')}</option>
          </select>
        </label>
      </div>
      <TagList now={tag} />
      <Show of={apis} rows={6}>
        {(data) => data.list.length === 0
          ? <Empty title={query ? t('search.none') : t('catalogue.none')}>
              {query ? <button class="button" onClick={() => setQuery({ q: '', tag: '', category: '', page: '' }, false)}>{t('search.clear')}</button> : <p>{t('catalogue.none.text')}</p>}
            </Empty>
          : <>
              <p class="soft count" role="status">{data.pagination.total === 1 ? t('count.api') : t('count.apis', number(data.pagination.total))}</p>
              <ul class="cards">{data.list.map((a) => <Card key={a.id} api={a} />)}</ul>
              <Pager of={data} />
            </>}
      </Show>
    </>
  )
}
