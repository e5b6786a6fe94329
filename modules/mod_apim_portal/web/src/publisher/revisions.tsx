// SPDX-License-Identifier: Apache-2.0
// Revisions of an API, and which of them gateways serve.
import { useState } from 'preact/hooks'
import { call, get, post, PUBLISHER, remove } from '../lib/api'
import { dateTime } from '../lib/i18n'
import { attempt, Badge, Checks, confirm, Dialog, Empty, enc, FormEnd, say, Show, Text, useLoad, useSend } from '../lib/ui'
import { Nodes, Section, useEvery, type NodeState } from '../manage/parts'
import { m } from '../manage/words'
import { dropDraft, type Editing } from './draft'
import { hasEndpoint, mayCreate, mayPublish, type Environment } from './types'
import { p } from './words'

interface Deployment {
  name: string
  displayName: string
  vhost: string
  deployedTime: string
  revisionUuid: string
  nodes?: NodeState[]
  liveGatewayCount?: number
  deployedGatewayCount?: number
}

interface Revision {
  id: string
  displayName: string
  description: string
  createdTime: string
  deploymentInfo: Deployment[]
}

const MOST = 5
const apiPath = (id: string) => `${PUBLISHER}/apis/${enc(id)}`
const target = (e: Environment) => ({ name: e.name, vhost: e.vhosts[0]?.host ?? 'localhost', displayOnDevportal: true })

interface DeployProps {
  e: Editing
  revision: Revision | null // null: a new one
  environments: Environment[]
  close: () => void
  done: () => void
}

function DeployDialog({ e, revision, environments, close, done }: DeployProps) {
  const [description, setDescription] = useState('')
  const [on, setOn] = useState(environments.length === 1 || revision ? environments.slice(0, 1).map((x) => x.name) : [])
  const [made, setMade] = useState<string | null>(null) // of an attempt whose deployment failed
  const { busy, error, submit } = useSend(async () => {
    const id = revision?.id ?? made ?? (await post<Revision>(`${apiPath(e.stored.id)}/revisions`, { description })).id
    if (!revision) setMade(id)
    const to = environments.filter((x) => on.includes(x.name)).map(target)
    if (to.length) await call('POST', `${apiPath(e.stored.id)}/deploy-revision`, { query: { revisionId: id }, json: to })
    say(to.length ? p('deployed') : p('revision.made'))
    done()
  })
  return (
    <Dialog title={revision ? p('deploy.title', revision.displayName) : p('revision.new')} close={close}>
      <form onSubmit={submit}>
        {!revision && <p>{p('revision.new.text')}</p>}
        {!revision && Object.keys(e.changes).length > 0 && <p class="notice">{p('change.unsaved')}</p>}
        {!revision && <Text label={m('description')} value={description} set={setDescription} maxlength={255} />}
        <Checks legend={p('deploy.to')} choices={environments.map((x) => [x.name, x.displayName || x.name])} on={on} set={setOn} />
        <FormEnd busy={busy} action={on.length ? p('deploy') : p('revision.make')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

function EnvironmentRow({ e, environment, deployment, revisions, may, changed }: { e: Editing; environment: Environment; deployment?: Deployment; revisions: Revision[]; may: boolean; changed: () => void }) {
  const url = environment.endpoints.https ?? environment.endpoints.http
  const revision = revisions.find((r) => r.id === deployment?.revisionUuid)
  const undeploy = async () => {
    if (!await confirm(p('undeploy.title', environment.displayName), p('undeploy.text'), p('undeploy'))) return
    await attempt(() => call('POST', `${apiPath(e.stored.id)}/undeploy-revision`, { query: { revisionId: deployment!.revisionUuid }, json: [target(environment)] }), p('undeployed'))
    changed()
  }
  return (
    <li class="environment">
      <div class="sectionhead">
        <div>
          <h3>{environment.displayName || environment.name}</h3>
          {url && <p class="soft"><code>{url}</code></p>}
        </div>
        {deployment && may && <button class="button small danger" onClick={undeploy}>{p('undeploy')}</button>}
      </div>
      {deployment
        ? <>
            <p><Badge kind="good">{revision?.displayName ?? p('deployed')}</Badge> {dateTime(deployment.deployedTime)}
              {!!deployment.liveGatewayCount && ` · ${p('served.by', deployment.deployedGatewayCount ?? 0, deployment.liveGatewayCount)}`}</p>
            {['CREATED', 'RETIRED'].includes(e.stored.lifeCycleStatus) ? <p class="soft">{p('deployed.waits')}</p> : <Nodes list={deployment.nodes ?? []} />}
          </>
        : <p class="soft">{p('deployed.not')}</p>}
    </li>
  )
}

function RevisionRow({ e, revision, may, deploy, changed }: { e: Editing; revision: Revision; may: boolean; deploy: () => void; changed: () => void }) {
  const path = apiPath(e.stored.id)
  const where = revision.deploymentInfo
  const restore = async () => {
    if (!await confirm(p('restore.title', revision.displayName), p('restore.text'), p('restore'))) return
    if (await attempt(() => call('POST', `${path}/restore-revision`, { query: { revisionId: revision.id } }), p('restored'))) {
      dropDraft(e.stored.id)
      e.reload()
    }
  }
  const drop = async () => {
    if (!await confirm(p('revision.delete.title', revision.displayName), m('undone.never'), m('delete'))) return
    await attempt(() => remove(`${path}/revisions/${enc(revision.id)}`), m('deleted'))
    changed()
  }
  return (
    <li class="environment">
      <h3>{revision.displayName} {where.map((d) => <Badge key={d.name} kind="good">{d.displayName || d.name}</Badge>)}</h3>
      <p class="soft">{dateTime(revision.createdTime)}{revision.description && ` · ${revision.description}`}</p>
      {may && (
        <p class="actions left">
          <button class="button small" aria-label={`${p('deploy')}: ${revision.displayName}`} onClick={deploy}>{p('deploy')}</button>
          <button class="button small" aria-label={`${p('restore')}: ${revision.displayName}`} onClick={restore}>{p('restore')}</button>
          {where.length === 0 && <button class="button small danger" aria-label={`${m('delete')}: ${revision.displayName}`} onClick={drop}>{m('delete')}</button>}
        </p>
      )}
    </li>
  )
}

export function Revisions({ e }: { e: Editing }) {
  const path = apiPath(e.stored.id)
  const environments = useLoad(() => get<{ list: Environment[] }>(`${PUBLISHER}/environments`), [])
  const revisions = useLoad(() => get<{ list: Revision[] }>(`${path}/revisions`), [path, e.etag])
  const deployments = useLoad(() => get<Deployment[]>(`${path}/deployments`), [path, e.etag])
  const [deploying, setDeploying] = useState<Revision | 'new' | null>(null)
  const may = mayCreate() || mayPublish()
  const settled = deployments.data?.every((d) => d.nodes?.every((n) => n.state !== 'PENDING'))
  useEvery(settled ? 5000 : 1000, () => { deployments.reload() })
  const changed = () => {
    revisions.reload()
    deployments.reload()
    e.reload() // its ETag has changed
  }
  const known = environments.data?.list ?? []
  const full = (revisions.data?.list.length ?? 0) >= MOST
  return (
    <>
      {!hasEndpoint(e.stored) && <p class="notice">{p('deploy.no.endpoint')}</p>}
      <div class="columns">
        <Section title={p('environments')} text={p('environments.text')}>
          {deployments.data || !deployments.error ? null : <p class="notice bad" role="alert">{deployments.error.message}</p>}
          <Show of={environments}>
            {({ list }) => (
              <ul class="plainlist">
                {list.map((x) => <EnvironmentRow key={x.name} e={e} environment={x} deployment={deployments.data?.find((d) => d.name === x.name)} revisions={revisions.data?.list ?? []} may={may} changed={changed} />)}
              </ul>
            )}
          </Show>
        </Section>
        <Section title={p('revisions')} text={p('revisions.text', MOST)}
          actions={may && <button class="button primary" disabled={full || !environments.data} title={full ? p('revisions.full') : undefined} onClick={() => setDeploying('new')}>{p('revision.new')}</button>}>
          {full && <p class="notice">{p('revisions.full')}</p>}
          <Show of={revisions}>
            {({ list }) => list.length === 0
              ? <Empty title={p('revisions.none')}><p>{p('revisions.none.text')}</p></Empty>
              : <ul class="plainlist">{[...list].reverse().map((r) => <RevisionRow key={r.id} e={e} revision={r} may={may} deploy={() => setDeploying(r)} changed={changed} />)}</ul>}
          </Show>
        </Section>
      </div>
      {deploying && <DeployDialog e={e} revision={deploying === 'new' ? null : deploying} environments={known} close={() => { setDeploying(null); changed() }} done={() => { setDeploying(null); changed() }} />}
    </>
  )
}
