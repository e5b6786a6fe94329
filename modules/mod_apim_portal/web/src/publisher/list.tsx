// SPDX-License-Identifier: Apache-2.0
// The APIs that are made here: search, state, pages.
import { get, PUBLISHER, type List } from '../lib/api'
import { date, number } from '../lib/i18n'
import { Link, place, setQuery } from '../lib/router'
import { Empty, Pager, pageOffset, pageSize, Search, Show, Title, useLoad } from '../lib/ui'
import { LifeState } from '../manage/parts'
import { stateName } from '../manage/words'
import { Picture } from './picture'
import { fullContext, mayCreate, type ApiItem } from './types'
import { p } from './words'

const states = ['CREATED', 'PROTOTYPED', 'PUBLISHED', 'BLOCKED', 'DEPRECATED', 'RETIRED']

function Card({ api }: { api: ApiItem }) {
  return (
    <li class="card link">
      <Picture api={api} mark={api.updatedTime} />
      <div>
        <h2><Link href={`/publisher/apis/${api.id}`}>{api.name}</Link></h2>
        <p class="soft">{api.version} · {api.provider}</p>
      </div>
      <p class="text"><code>{fullContext(api)}</code></p>
      <p class="badges"><LifeState of={api.lifeCycleStatus} /> <span class="soft">{p('changed.on', date(api.updatedTime))}</span></p>
    </li>
  )
}

export function ApiList() {
  const q = place.value.query.get('q') ?? ''
  const state = place.value.query.get('state') ?? ''
  const sort = place.value.query.get('sort') ?? ''
  const offset = pageOffset()
  const query = [q, states.includes(state) && `status:${state}`].filter(Boolean).join(' ')
  const apis = useLoad(() => get<List<ApiItem>>(`${PUBLISHER}/apis`, {
    query, limit: pageSize, offset, sortBy: sort === 'new' ? 'createdTime' : 'name', sortOrder: sort === 'new' ? 'desc' : 'asc',
  }), [query, offset, sort])
  return (
    <>
      <Title text={p('apis')} sub={p('apis.sub')}>
        {mayCreate() && <Link class="button primary" href="/publisher/create">{p('create')}</Link>}
      </Title>
      <div class="toolbar">
        <Search label={p('search')} />
        <label class="inline">{p('state')}
          <select value={state} onChange={(e) => setQuery({ state: e.currentTarget.value, page: '' }, false)}>
            <option value="">{p('state.all')}</option>
            {states.map((s) => <option key={s} value={s}>{stateName(s)}</option>)}
          </select>
        </label>
        <label class="inline">{p('sort')}
          <select value={sort} onChange={(e) => setQuery({ sort: e.currentTarget.value, page: '' }, false)}>
            <option value="">{p('sort.name')}</option>
            <option value="new">{p('sort.new')}</option>
          </select>
        </label>
      </div>
      <Show of={apis} rows={6}>
        {(data) => data.list.length === 0
          ? <Empty title={query ? p('search.none') : p('apis.none')}>
              {query
                ? <button class="button" onClick={() => setQuery({ q: '', state: '', page: '' }, false)}>{p('search.clear')}</button>
                : <><p>{p('apis.none.text')}</p>{mayCreate() && <Link class="button primary" href="/publisher/create">{p('create')}</Link>}</>}
            </Empty>
          : <>
              <p class="soft count" role="status">{data.pagination.total === 1 ? p('count.one') : p('count', number(data.pagination.total))}</p>
              <ul class="cards">{data.list.map((x) => <Card key={x.id} api={x} />)}</ul>
              <Pager of={data} />
            </>}
      </Show>
    </>
  )
}
