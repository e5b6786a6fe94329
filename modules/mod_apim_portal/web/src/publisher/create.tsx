// SPDX-License-Identifier: Apache-2.0
// A new API, by design or from an OpenAPI document.
import { useEffect, useState } from 'preact/hooks'
import { call, post, PUBLISHER } from '../lib/api'
import { go, Link } from '../lib/router'
import { Badge, Check, Empty, Field, FormEnd, say, Text, Title, useSend } from '../lib/ui'
import { m, stateName } from '../manage/words'
import { mayArchive } from './overview'
import { isGiven, SourceFields, sourceForm, useSource } from './source'
import { verbs, type Api } from './types'
import { p } from './words'

const opened = (api: Api) => {
  say(p('created', api.name))
  go(`/publisher/apis/${api.id}`)
}

interface Identity {
  name: string
  context: string
  version: string
  endpoint: string
}

function IdentityFields({ value, set, required }: { value: Identity; set: (v: Identity) => void; required: boolean }) {
  const put = (name: keyof Identity) => (text: string) => set({ ...value, [name]: text })
  return (
    <>
      <Text label={m('name')} value={value.name} set={put('name')} required={required} maxlength={150} hint={p('name.hint')} autocomplete="off" />
      <div class="pair">
        <Text label={p('context')} value={value.context} set={put('context')} required={required} placeholder="/orders" hint={p('context.hint')} autocapitalize="none" spellcheck={false} autocomplete="off" />
        <Text label={p('version')} value={value.version} set={put('version')} required={required} placeholder="1.0.0" hint={p('version.hint')} autocomplete="off" />
      </div>
      <Text label={p('endpoint')} type="url" value={value.endpoint} set={put('endpoint')} placeholder="https://" hint={p('endpoint.hint')} />
    </>
  )
}

const endpointOf = (url: string) => (url.trim() ? { endpointConfig: { endpoint_type: 'http', production_endpoints: { url: url.trim() }, sandbox_endpoints: { url: url.trim() } } } : {})

function Design() {
  const [id, setId] = useState<Identity>({ name: '', context: '', version: '1.0.0', endpoint: '' })
  const [every, setEvery] = useState(true)
  const { busy, error, submit } = useSend(async () => {
    const operations = every ? { operations: verbs.slice(0, 5).map((verb) => ({ target: '/*', verb })) } : {}
    opened(await post<Api>(`${PUBLISHER}/apis`, { name: id.name.trim(), context: id.context.trim(), version: id.version.trim(), ...endpointOf(id.endpoint), ...operations }))
  })
  return (
    <form class="card form" onSubmit={submit}>
      <IdentityFields value={id} set={setId} required />
      <Check label={p('create.every')} on={every} set={setEvery} />
      <FormEnd busy={busy} action={p('create')} cancel={() => go('/publisher/create')} error={error} />
    </form>
  )
}

function FromDefinition() {
  const of = useSource()
  const [id, setId] = useState<Identity>({ name: '', context: '', version: '', endpoint: '' })
  const info = of.verdict?.isValid ? of.verdict.info : null
  useEffect(() => {
    if (info) setId({ name: info.name ?? '', context: info.context ?? '', version: info.version ?? '', endpoint: info.endpoints[0]?.startsWith('http') ? info.endpoints[0] : '' })
  }, [info])
  const { busy, error, submit } = useSend(async () => {
    const form = sourceForm(of.source, 'inlineAPIDefinition')
    const said = Object.fromEntries(Object.entries({ name: id.name, context: id.context, version: id.version }).map(([k, v]) => [k, v.trim()]).filter(([, v]) => v))
    form.append('additionalProperties', JSON.stringify({ ...said, ...endpointOf(id.endpoint) }))
    opened(await call<Api>('POST', `${PUBLISHER}/apis/import-openapi`, { form }))
  })
  return (
    <form class="card form" onSubmit={(e) => (info ? submit(e) : (e.preventDefault(), isGiven(of.source) && of.check()))}>
      <SourceFields of={of} />
      {info && <>
        <IdentityFields value={id} set={setId} required />
        <FormEnd busy={busy} action={p('create')} cancel={() => go('/publisher/create')} error={error} />
      </>}
    </form>
  )
}

interface Imported {
  id: string
  lifeCycleStatus: string
  workflowStatus: string
  skippedEnvironments: string[]
}

function FromArchive() {
  const [file, setFile] = useState<File | null>(null)
  const [overwrite, setOverwrite] = useState(false)
  const [keep, setKeep] = useState(true)
  const [done, setDone] = useState<Imported | null>(null)
  const { busy, error, submit } = useSend(async () => {
    const form = new FormData()
    form.append('file', file!)
    setDone(await call<Imported>('POST', `${PUBLISHER}/apis/import`, { form, query: { overwrite, preserveProvider: keep, rotateRevision: overwrite } }))
  })
  if (!mayArchive()) return <Empty title={p('archive.forbidden')} />
  if (done) {
    return (
      <Empty title={p('archive.done')}>
        <p><Badge kind={done.lifeCycleStatus.toLowerCase()}>{stateName(done.lifeCycleStatus)}</Badge></p>
        {done.workflowStatus === 'CREATED' && <p>{p('change.waiting')}</p>}
        {done.skippedEnvironments.length > 0 && <p>{p('archive.skipped', done.skippedEnvironments.join(', '))}</p>}
        <p><Link class="button primary" href={`/publisher/apis/${done.id}`}>{p('archive.open')}</Link></p>
      </Empty>
    )
  }
  return (
    <form class="card form" onSubmit={submit}>
      <Field label={p('archive.file')} hint={p('archive.file.hint')}>
        {(id) => <input {...id} type="file" accept=".zip,application/zip" required onChange={(x) => setFile(x.currentTarget.files?.[0] ?? null)} />}
      </Field>
      <Check label={p('archive.keep')} on={keep} set={setKeep} />
      <Check label={p('archive.overwrite')} on={overwrite} set={setOverwrite} />
      {overwrite && <p class="notice warn">{p('archive.overwrite.text')}</p>}
      <FormEnd busy={busy} action={p('archive.import')} cancel={() => go('/publisher/create')} error={error} />
    </form>
  )
}

function Ways() {
  return (
    <ul class="cards ways">
      <li class="card link">
        <h2><Link href="/publisher/create/design">{p('create.design')}</Link></h2>
        <p class="text">{p('create.design.text')}</p>
      </li>
      <li class="card link">
        <h2><Link href="/publisher/create/openapi">{p('create.openapi')}</Link></h2>
        <p class="text">{p('create.openapi.text')}</p>
      </li>
      {mayArchive() && (
        <li class="card link">
          <h2><Link href="/publisher/create/archive">{p('create.archive')}</Link></h2>
          <p class="text">{p('create.archive.text')}</p>
        </li>
      )}
    </ul>
  )
}

export function Create({ how }: { how: string }) {
  return (
    <>
      <p class="crumbs"><Link href={how ? '/publisher/create' : '/publisher/'}>← {how ? p('create.title') : p('apis')}</Link></p>
      <Title text={how === 'design' ? p('create.design') : how === 'openapi' ? p('create.openapi') : how === 'archive' ? p('create.archive') : p('create.title')} />
      {how === 'design' ? <Design /> : how === 'openapi' ? <FromDefinition /> : how === 'archive' ? <FromArchive /> : <Ways />}
    </>
  )
}
