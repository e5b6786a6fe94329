// SPDX-License-Identifier: Apache-2.0
// What the Store shows of an API, and to whom.
import { get, PUBLISHER, type List } from '../lib/api'
import { Check, Checks, Problem, Select, Skeleton, Text, useLoad } from '../lib/ui'
import { Section, WordsField } from '../manage/parts'
import { m } from '../manage/words'
import { mayEdit, type Editing } from './draft'
import { PictureSection } from './picture'
import type { Api, Policy } from './types'
import { p, type Key } from './words'

const people: [member: string, label: Key, type: string][] = [
  ['businessOwner', 'owner.business', 'text'], ['businessOwnerEmail', 'owner.business.mail', 'email'],
  ['technicalOwner', 'owner.technical', 'text'], ['technicalOwnerEmail', 'owner.technical.mail', 'email'],
]

function Properties({ api, change }: { api: Api; change: (c: Partial<Api>) => void }) {
  const list = api.additionalProperties
  const put = (i: number, more: Partial<Api['additionalProperties'][0]>) => change({ additionalProperties: list.map((x, j) => (i === j ? { ...x, ...more } : x)) })
  return (
    <Section title={p('properties')} text={p('properties.text')}
      actions={<button type="button" class="button small" onClick={() => change({ additionalProperties: [...list, { name: '', value: '', display: false }] })}>{m('add')}</button>}>
      {list.map((x, i) => (
        <div key={i} class="row">
          <Text label={m('name')} value={x.name} set={(name) => put(i, { name })} />
          <Text label={p('value')} value={x.value} set={(value) => put(i, { value })} />
          <Check label={p('property.display')} on={x.display} set={(display) => put(i, { display })} />
          <button type="button" class="button small" aria-label={m('remove.word', x.name || String(i + 1))} onClick={() => change({ additionalProperties: list.filter((_, j) => j !== i) })}>{m('remove')}</button>
        </div>
      ))}
    </Section>
  )
}

export function Tiers({ on, set }: { on: string[]; set: (on: string[]) => void }) {
  const policies = useLoad(() => get<List<Policy>>(`${PUBLISHER}/throttling-policies/subscription`, { limit: 1000 }), [])
  if (policies.error) return <Problem error={policies.error} retry={policies.reload} />
  if (!policies.data) return <Skeleton rows={2} />
  const known = policies.data.list
  const lost = on.filter((name) => !known.some((x) => x.name === name))
  return (
    <ul class="plainlist">
      {[...known, ...lost.map((name) => ({ name, displayName: name, description: '' }))].map((x) => (
        <li key={x.name}>
          <Check label={x.displayName || x.name} on={on.includes(x.name)} set={(yes) => set(yes ? [...on, x.name] : on.filter((y) => y !== x.name))} />
          {x.description && <small class="below">{x.description}</small>}
        </li>
      ))}
    </ul>
  )
}

/** Categories that an administrator offers; nothing where there are none. */
function Categories({ on, set }: { on: string[]; set: (on: string[]) => void }) {
  const known = useLoad(() => get<List<{ name: string }>>(`${PUBLISHER}/api-categories`, { limit: 1000 }), [])
  const names = [...new Set([...(known.data?.list.map((x) => x.name) ?? []), ...on])]
  if (known.error) return <Problem error={known.error} retry={known.reload} />
  return names.length ? <Checks legend={p('categories')} choices={names} on={on} set={set} /> : null
}

export function Basics({ e }: { e: Editing }) {
  const { api, stored, change } = e
  const person = (name: string, value: string) => {
    const { [name]: _, ...others } = api.businessInformation
    change({ businessInformation: value ? { ...others, [name]: value } : others })
  }
  return (
    <fieldset class="columns bare" disabled={!mayEdit(stored)}>
      <Section title={p('tab.basics')}>
        <Text label={m('description')} rows={7} value={api.description} set={(description) => change({ description })} hint={p('description.hint')} />
        <WordsField label={p('tags')} value={api.tags} set={(tags) => change({ tags })} />
        <Categories on={api.categories} set={(categories) => change({ categories })} />
        <Check label={p('version.default.check')} on={api.isDefaultVersion} set={(isDefaultVersion) => change({ isDefaultVersion })} />
      </Section>
      <Section title={p('visibility')} text={p('visibility.text')}>
        <Select label={p('visibility')} value={api.visibility} set={(visibility) => change({ visibility })}
          choices={['PUBLIC', 'PRIVATE', 'RESTRICTED'].map((v) => [v, p(`visibility.${v}` as Key)])} />
        {api.visibility === 'RESTRICTED' && <WordsField label={p('visibility.roles')} value={api.visibleRoles} set={(visibleRoles) => change({ visibleRoles })} suggestions={['Internal/subscriber', 'Internal/creator', 'Internal/publisher', 'admin']} />}
      </Section>
      <Section title={p('access')} text={p('access.text')}>
        <Select label={p('access')} value={api.accessControl} set={(accessControl) => change({ accessControl })}
          choices={['NONE', 'RESTRICTED'].map((v) => [v, p(`access.${v}` as Key)])} />
        {api.accessControl === 'RESTRICTED' && <WordsField label={p('visibility.roles')} value={api.accessControlRoles} set={(accessControlRoles) => change({ accessControlRoles })} />}
      </Section>
      <Section title={p('policies')} text={p('policies.text')}>
        <Tiers on={api.policies} set={(policies) => change({ policies })} />
      </Section>
      <Section title={p('business')}>
        <div class="pairs">
          {people.map(([name, label, type]) => <Text key={name} label={p(label)} type={type} value={api.businessInformation[name] ?? ''} set={(v) => person(name, v)} />)}
        </div>
      </Section>
      <PictureSection e={e} />
      <Properties api={api} change={change} />
    </fieldset>
  )
}
