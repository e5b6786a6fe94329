// SPDX-License-Identifier: Apache-2.0
// A new version of an API, and the versions there are.
import { useState } from 'preact/hooks'
import { call, get, PUBLISHER, type List } from '../lib/api'
import { go, Link } from '../lib/router'
import { Check, enc, FormEnd, say, Show, Text, useLoad, useSend } from '../lib/ui'
import { LifeState, Section } from '../manage/parts'
import type { Editing } from './draft'
import { mayCreate, type Api, type ApiItem } from './types'
import { p } from './words'

export function NewVersion({ e }: { e: Editing }) {
  const [version, setVersion] = useState('')
  const [first, setFirst] = useState(false)
  const versions = useLoad(() => get<List<ApiItem>>(`${PUBLISHER}/apis`, { query: `name:"${e.stored.name}"`, limit: 100 }), [e.stored.name])
  const { busy, error, submit } = useSend(async () => {
    const made = await call<Api>('POST', `${PUBLISHER}/apis/copy-api`, { query: { apiId: e.stored.id, newVersion: version.trim(), defaultVersion: first } })
    say(p('version.made', made.version))
    go(`/publisher/apis/${enc(made.id)}`)
  })
  return (
    <div class="columns">
      {mayCreate() && (
        <Section title={p('version.new')} text={p('version.new.text', e.stored.version)}>
          <form onSubmit={submit}>
            <Text label={p('version')} value={version} set={setVersion} required maxlength={30} placeholder="2.0.0" autocomplete="off" />
            <Check label={p('version.default.check')} on={first} set={setFirst} />
            <FormEnd busy={busy} action={p('version.make')} cancel={() => go(`/publisher/apis/${enc(e.stored.id)}`)} error={error} />
          </form>
        </Section>
      )}
      <Section title={p('versions')}>
        <Show of={versions}>
          {({ list }) => (
            <ul class="plainlist">
              {list.filter((x) => x.name === e.stored.name).map((x) => (
                <li key={x.id}>{x.id === e.stored.id ? <strong>{x.version}</strong> : <Link href={`/publisher/apis/${enc(x.id)}`}>{x.version}</Link>} <LifeState of={x.lifeCycleStatus} /></li>
              ))}
            </ul>
          )}
        </Show>
      </Section>
    </div>
  )
}
