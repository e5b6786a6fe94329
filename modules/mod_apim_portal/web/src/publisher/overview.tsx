// SPDX-License-Identifier: Apache-2.0
// What an API is, and what is missing until it can be published.
import { get, has, PUBLISHER, raw } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { Link } from '../lib/router'
import { attempt, enc, useLoad } from '../lib/ui'
import { Section } from '../manage/parts'
import { stateName } from '../manage/words'
import type { Editing } from './draft'
import { hasEndpoint, type Api } from './types'
import { p } from './words'

interface Step {
  done: boolean
  label: string
  tab: string
  optional?: boolean
}

function steps(api: Api, deployed: boolean): Step[] {
  return [
    { done: true, label: p('step.made'), tab: 'basics' },
    { done: api.operations.length > 0, label: p('step.resources'), tab: 'resources' },
    { done: hasEndpoint(api), label: p('step.endpoint'), tab: 'endpoints' },
    { done: api.policies.length > 0, label: p('step.policies'), tab: 'basics' },
    { done: deployed, label: p('step.deployed'), tab: 'revisions', optional: true },
    { done: ['PUBLISHED', 'BLOCKED', 'DEPRECATED', 'RETIRED'].includes(api.lifeCycleStatus), label: p('step.published'), tab: 'lifecycle' },
  ]
}

function Checklist({ api, deployed }: { api: Api; deployed: boolean }) {
  const list = steps(api, deployed)
  const missing = list.slice(0, -1).filter((s) => !s.done && !s.optional).length
  const next = list.find((s) => !s.done && !s.optional)
  return (
    <Section title={p('checklist')} text={missing ? (missing === 1 ? p('checklist.missing.one') : p('checklist.missing', missing)) : next ? p('checklist.ready') : p('checklist.done', stateName(api.lifeCycleStatus))}>
      <ol class="steps">
        {list.map((s) => (
          <li key={s.label} class={s.done ? 'done' : s === next ? 'next' : ''}>
            <span class="mark" aria-hidden="true">{s.done ? '✓' : ''}</span>
            <Link href={`/publisher/apis/${enc(api.id)}/${s.tab}`}>{s.label}</Link>
            <span class="hidden">: {s.done ? p('step.is.done') : p('step.is.open')}</span>
            {!s.done && s.optional && <small>{p('step.deployed.hint')}</small>}
          </li>
        ))}
      </ol>
    </Section>
  )
}

export const mayArchive = () => has('apim:admin', 'apim:api_import_export')

/** The API as an archive, for another installation or a repository. */
async function exportArchive(api: Api) {
  const a = document.createElement('a')
  a.href = URL.createObjectURL(await (await raw('GET', `${PUBLISHER}/apis/export`, { query: { apiId: api.id } })).blob())
  a.download = `${api.name}-${api.version}.zip`
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
}

export function Overview({ e }: { e: Editing }) {
  const deployments = useLoad(() => get<unknown[]>(`${PUBLISHER}/apis/${enc(e.stored.id)}/deployments`), [e.stored.id, e.etag])
  const api = e.stored
  const open = api.operations.filter((o) => o.authType === 'None').length
  return (
    <div class="columns">
      <Checklist api={api} deployed={!!deployments.data?.length} />
      <Section title={p('facts')}>
        <p class="long">{api.description || <span class="soft">{p('description.none')}</span>}</p>
        <dl class="facts">
          <dt>{p('provider')}</dt><dd>{api.provider}</dd>
          <dt>{p('visibility')}</dt><dd>{p(`visibility.${api.visibility}` as 'visibility.PUBLIC')}{api.visibility === 'RESTRICTED' && `: ${api.visibleRoles.join(', ')}`}</dd>
          <dt>{p('tab.resources')}</dt><dd>{number(api.operations.length)}{open > 0 && ` (${p('resources.open', open)})`}</dd>
          <dt>{p('policies')}</dt><dd>{api.policies.join(', ') || '–'}</dd>
          <dt>{p('tags')}</dt><dd>{api.tags.join(', ') || '–'}</dd>
          <dt>{p('made')}</dt><dd>{dateTime(api.createdTime)}</dd>
          <dt>{p('changed')}</dt><dd>{dateTime(api.lastUpdatedTime)}{api.updatedBy && ` · ${api.updatedBy}`}</dd>
        </dl>
        {mayArchive() && <p class="actions"><button class="button" onClick={() => attempt(() => exportArchive(api))}>{p('archive.export')}</button></p>}
      </Section>
    </div>
  )
}
