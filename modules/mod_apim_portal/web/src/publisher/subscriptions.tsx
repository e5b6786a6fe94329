// SPDX-License-Identifier: Apache-2.0
// Who has subscribed, and keeping some of them out.
import { call, get, has, PUBLISHER, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { attempt, Badge, confirm, Empty, Pager, pageOffset, pageSize, Show, Table, useLoad } from '../lib/ui'
import { Section } from '../manage/parts'
import type { Editing } from './draft'
import { p, type Key } from './words'

interface Subscription {
  subscriptionId: string
  throttlingPolicy: string
  subscriptionStatus: string
  applicationInfo: { name: string; subscriber: string; description: string }
}

const kinds: Record<string, string> = { UNBLOCKED: 'good', BLOCKED: 'bad', PROD_ONLY_BLOCKED: 'warn' }

export function Subscriptions({ e }: { e: Editing }) {
  const offset = pageOffset()
  const list = useLoad(() => get<List<Subscription>>(`${PUBLISHER}/subscriptions`, { apiId: e.stored.id, limit: pageSize, offset }), [e.stored.id, offset])
  const may = has('apim:subscription_block', 'apim:subscription_manage', 'apim:api_manage', 'apim:admin')
  const move = async (s: Subscription, to: 'BLOCKED' | 'PROD_ONLY_BLOCKED' | 'UNBLOCKED') => {
    const name = `${s.applicationInfo.name} (${s.applicationInfo.subscriber})`
    if (to !== 'UNBLOCKED' && !await confirm(p(`block.${to}.title`, name), p(`block.${to}.text`), p(`block.${to}`))) return
    const query = to === 'UNBLOCKED' ? { subscriptionId: s.subscriptionId } : { subscriptionId: s.subscriptionId, blockState: to }
    await attempt(() => call('POST', `${PUBLISHER}/subscriptions/${to === 'UNBLOCKED' ? 'unblock' : 'block'}-subscription`, { query }), p(`block.${to}.done`))
    await list.reload()
  }
  return (
    <Section title={p('tab.subscriptions')} text={p('subscriptions.text')}>
      <Show of={list}>
        {(data) => data.list.length === 0
          ? <Empty title={p('subscriptions.none')}><p>{p('subscriptions.none.text')}</p></Empty>
          : <>
              <p class="soft count" role="status">{data.pagination.total === 1 ? p('subscriptions.one') : p('subscriptions.count', number(data.pagination.total))}</p>
              <Table stack label={p('tab.subscriptions')} head={[p('application'), p('subscriber'), p('tier'), p('state'), '']}>
                {data.list.map((s) => (
                  <tr key={s.subscriptionId}>
                    <th scope="row">{s.applicationInfo.name}</th>
                    <td>{s.applicationInfo.subscriber}</td>
                    <td>{s.throttlingPolicy}</td>
                    <td><Badge kind={kinds[s.subscriptionStatus]}>{kinds[s.subscriptionStatus] ? p(`subscription.${s.subscriptionStatus}` as Key) : s.subscriptionStatus}</Badge></td>
                    <td class="right">
                      {may && s.subscriptionStatus !== 'UNBLOCKED' && <button class="button small" onClick={() => move(s, 'UNBLOCKED')}>{p('block.UNBLOCKED')}</button>}{' '}
                      {may && s.subscriptionStatus !== 'PROD_ONLY_BLOCKED' && <button class="button small" onClick={() => move(s, 'PROD_ONLY_BLOCKED')}>{p('block.PROD_ONLY_BLOCKED')}</button>}{' '}
                      {may && s.subscriptionStatus !== 'BLOCKED' && <button class="button small danger" onClick={() => move(s, 'BLOCKED')}>{p('block.BLOCKED')}</button>}
                    </td>
                  </tr>
                ))}
              </Table>
              <Pager of={data} />
            </>}
      </Show>
    </Section>
  )
}
