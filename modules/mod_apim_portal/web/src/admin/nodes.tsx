// SPDX-License-Identifier: Apache-2.0
// The nodes of the cluster, as they report themselves; read anew all the time.
import { ADMIN, get } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { Badge, Empty, Problem, Skeleton, Title, useLoad } from '../lib/ui'
import { Section, useEvery } from '../manage/parts'
import { m } from '../manage/words'
import { a } from './words'

interface Node {
  name: string
  role: string
  version: string
  state: string
  startedAt: string
  seenAt: string
  environment?: string
  epoch?: string
  revision?: number
  detail: { databases?: Record<string, string>; apis?: number; feed?: string; failureCount?: number; failures?: { key: string; reason: string }[] }
}

export interface NodeList {
  list: Node[]
  epoch: string
  revision: number
}

const roles = ['gateway', 'portal', 'keymgr']
const roleName = (r: string) => (roles.includes(r) ? a(`role.${r}` as 'role.gateway') : r)

function Card({ node, all }: { node: Node; all: NodeList }) {
  const gateway = node.role === 'gateway'
  const current = gateway && node.epoch === all.epoch && (node.revision ?? 0) >= all.revision
  const databases = Object.entries(node.detail.databases ?? {})
  return (
    <li class="card node">
      <div class="sectionhead">
        <h3>{node.name}</h3>
        <Badge kind={`node ${node.state.toLowerCase()}`}>{m(`node.${node.state}` as 'node.UP')}</Badge>
      </div>
      <dl class="facts">
        {gateway && <><dt>{a('environment')}</dt><dd>{node.environment}</dd></>}
        {gateway && <><dt>{a('config')}</dt><dd>{current ? a('config.current') : a('config.behind', number(Math.max(0, all.revision - (node.revision ?? 0))))}</dd></>}
        {node.detail.apis !== undefined && <><dt>{a('apis')}</dt><dd>{number(node.detail.apis)}</dd></>}
        {databases.length > 0 && <><dt>{a('databases')}</dt><dd>{databases.map(([name, s]) => <Badge key={name} kind={s === 'UP' ? 'good' : 'bad'}>{name.replace('_', ' ')}</Badge>)}</dd></>}
        <dt>{a('version')}</dt><dd>{node.version}</dd>
        <dt>{a('started')}</dt><dd>{dateTime(node.startedAt)}</dd>
        {node.state !== 'UP' && <><dt>{a('seen')}</dt><dd>{dateTime(node.seenAt)}</dd></>}
      </dl>
      {!!node.detail.failures?.length && (
        <div class="notice bad">
          <p>{a('failures', number(node.detail.failureCount ?? node.detail.failures.length))}</p>
          <ul>{node.detail.failures.map((f) => <li key={f.key}><code>{f.key}</code>: {f.reason}</li>)}</ul>
        </div>
      )}
    </li>
  )
}

export function Nodes() {
  const nodes = useLoad(() => get<NodeList>(`${ADMIN}/nodes`), [])
  useEvery(3000, () => { nodes.reload() })
  const data = nodes.data
  const up = data?.list.filter((n) => n.state === 'UP').length ?? 0
  return (
    <>
      <Title text={a('nodes')} sub={a('nodes.sub')} />
      {nodes.error && <Problem error={nodes.error} retry={nodes.reload} />}
      {!data && !nodes.error && <Skeleton rows={5} />}
      {data && (data.list.length === 0
        ? <Empty title={a('nodes.none')} />
        : <>
            <p role="status" class={up < data.list.length ? 'notice bad' : 'notice good'}>{up < data.list.length ? a('nodes.some', number(up), number(data.list.length)) : a('nodes.all', number(up))}</p>
            {roles.filter((r) => data.list.some((n) => n.role === r)).map((r) => (
              <Section key={r} title={roleName(r)}>
                <ul class="cards">{data.list.filter((n) => n.role === r).map((n) => <Card key={n.name} node={n} all={data} />)}</ul>
              </Section>
            ))}
          </>)}
    </>
  )
}
