// SPDX-License-Identifier: Apache-2.0
// The applications of who is logged in.
import { useState } from 'preact/hooks'
import { get, post, put, session, STORE, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { go, Link, place, setQuery } from '../lib/router'
import { Checks, Dialog, Empty, FormEnd, Pager, pageOffset, pageSize, Search, Select, Show, State, Table, Text, Tile, Title, useLoad, useSend } from '../lib/ui'
import { limitOf, type Application, type Policy } from './types'
import { t } from './words'

/** Makes an application or changes one. */
export function ApplicationForm({ of, close, done }: { of?: Application; close: () => void; done: (a: Application) => void }) {
  const [name, setName] = useState(of?.name ?? '')
  const [tier, setTier] = useState(of?.throttlingPolicy ?? 'Unlimited')
  const [description, setDescription] = useState(of?.description ?? '')
  const [tokenType, setTokenType] = useState(of?.tokenType ?? 'JWT')
  const [groups, setGroups] = useState(of?.groups ?? [])
  const mine = !of || of.owner === session.value!.username
  const roles = useLoad(() => get<{ list: string[] }>(`${STORE}/me/groups`), [])
  const tiers = useLoad(() => get<List<Policy>>(`${STORE}/throttling-policies/application`, { limit: 200 }), [])
  const { busy, error, submit } = useSend(async () => {
    const body = { ...(of ? { attributes: of.attributes } : {}), name: name.trim(), throttlingPolicy: tier, description, tokenType, ...(mine ? { groups } : {}) }
    done(of ? await put<Application>(`${STORE}/applications/${of.applicationId}`, body) : await post<Application>(`${STORE}/applications`, body))
  })
  const choices = (tiers.data?.list ?? []).map((p) => [p.name, `${p.displayName} (${limitOf(p)})`] as [string, string])
  return (
    <Dialog title={of ? t('application.edit') : t('application.new')} close={close}>
      <form onSubmit={submit}>
        <Text label={t('name')} value={name} set={setName} required maxLength={100} autofocus />
        <Select label={t('application.tier')} value={tier} set={setTier} hint={t('application.tier.hint')}
          choices={choices.some(([v]) => v === tier) ? choices : [[tier, tier], ...choices]} />
        <Text label={t('description')} value={description} set={setDescription} rows={3} maxLength={1000} />
        <Select label={t('token.type')} value={tokenType} set={setTokenType} hint={t('token.type.hint')} choices={[['JWT', t('token.type.jwt')], ['OAUTH', t('token.type.opaque')]]} />
        {mine && !!roles.data?.list.length && <Checks legend={t('groups')} on={groups} set={setGroups}
          choices={[...new Set([...roles.data.list, ...groups])].map((role) => [role, role] as [string, string])} />}
        <FormEnd busy={busy} action={of ? t('save') : t('application.create')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

function Row({ a }: { a: Application }) {
  return (
    <tr>
      <th scope="row"><span class="named"><Tile name={a.name} /><Link href={`/store/applications/${a.applicationId}`}>{a.name}</Link></span>{a.owner !== session.value!.username && <p class="soft">{t('shared.by', a.owner)}</p>}</th>
      <td class="soft">{a.description}</td>
      <td>{a.throttlingPolicy}</td>
      <td>{a.subscriptionCount === 1 ? t('count.subscription') : t('count.subscriptions', number(a.subscriptionCount))}</td>
      <td>{a.status !== 'APPROVED' && <State of={a.status} />}</td>
    </tr>
  )
}

export function Applications() {
  const [making, setMaking] = useState(false)
  const q = place.value.query.get('q') ?? ''
  const offset = pageOffset()
  const list = useLoad(() => get<List<Application>>(`${STORE}/applications`, { query: q, limit: pageSize, offset }), [q, offset])
  const start = <button class="button primary" onClick={() => setMaking(true)}>{t('application.new')}</button>
  return (
    <>
      <Title text={t('applications')} sub={t('applications.sub')}>{start}</Title>
      {(q || (list.data?.pagination.total ?? 0) > 5) && <div class="toolbar"><Search label={t('search.applications')} /></div>}
      <Show of={list} rows={4}>
        {(data) => data.list.length === 0
          ? <Empty title={q ? t('search.none') : t('applications.none')}>
              {q ? <button class="button" onClick={() => setQuery({ q: '', page: '' }, false)}>{t('search.clear')}</button> : <><p>{t('applications.none.text')}</p>{start}</>}
            </Empty>
          : <>
              <div class="card">
                <Table stack label={t('applications')} head={[t('name'), t('description'), t('tier'), t('subscriptions'), t('state')]}>
                  {data.list.map((a) => <Row key={a.applicationId} a={a} />)}
                </Table>
              </div>
              <Pager of={data} />
            </>}
      </Show>
      {making && <ApplicationForm close={() => setMaking(false)} done={(a) => go(`/store/applications/${a.applicationId}`)} />}
    </>
  )
}
