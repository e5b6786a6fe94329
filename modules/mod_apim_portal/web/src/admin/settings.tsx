// SPDX-License-Identifier: Apache-2.0
// How this installation is set up, and whether it is well.
import { ADMIN, get, session } from '../lib/api'
import { Link } from '../lib/router'
import { Badge, Problem, Show, Skeleton, Title, useLoad, Value } from '../lib/ui'
import { Section, useEvery } from '../manage/parts'
import { m } from '../manage/words'
import type { NodeList } from './nodes'
import { a } from './words'

interface SettingsDocument {
  gatewayUrl: string
  keyManagerUrl: string
}

function Health() {
  const nodes = useLoad(() => get<NodeList>(`${ADMIN}/nodes`), [])
  useEvery(5000, () => { nodes.reload() })
  if (!nodes.data) return nodes.error ? <Problem error={nodes.error} retry={nodes.reload} /> : <Skeleton />
  const { list, revision, epoch } = nodes.data
  const away = list.filter((n) => n.state !== 'UP')
  const behind = list.filter((n) => n.role === 'gateway' && n.state === 'UP' && (n.epoch !== epoch || (n.revision ?? 0) < revision))
  const databases = [...new Set(list.filter((n) => n.state === 'UP').flatMap((n) => Object.entries(n.detail.databases ?? {}).filter(([, s]) => s !== 'UP').map(([name]) => name)))]
  const lines: [string, boolean, string][] = [
    [a('nodes'), !away.length, away.length ? away.map((n) => n.name).join(', ') : a('health.nodes', list.length)],
    [a('databases'), !databases.length, databases.length ? databases.join(', ') : a('health.databases')],
    [a('config'), !behind.length, behind.length ? behind.map((n) => n.name).join(', ') : a('health.config', revision)],
  ]
  return (
    <dl class="facts">
      {lines.map(([name, good, what]) => <><dt>{name}</dt><dd><Badge kind={good ? 'good' : 'bad'}>{good ? a('health.good') : a('health.bad')}</Badge> {what}</dd></>)}
    </dl>
  )
}

export function Settings() {
  const settings = useLoad(() => get<SettingsDocument>(`${ADMIN}/settings`), [])
  return (
    <>
      <Title text={a('settings')} sub={a('settings.sub')} />
      <div class="columns">
        <Section title={a('health')}><Health /><p><Link href="/admin/nodes">{a('nodes')}</Link></p></Section>
        <Section title={a('addresses')}>
          <Show of={settings}>
            {(s) => <><Value label={a('gateway')} text={s.gatewayUrl} /><Value label={a('keymgr')} text={s.keyManagerUrl} /><Value label={a('token.url')} text={session.value?.tokenUrl ?? ''} /></>}
          </Show>
          <dl class="facts"><dt>{a('self.sign.up')}</dt><dd>{session.value?.selfSignUp ? m('yes') : m('no')}</dd></dl>
        </Section>
      </div>
    </>
  )
}
