// SPDX-License-Identifier: Apache-2.0
// Pieces that the Publisher and the administration share.
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Badge, Field } from '../lib/ui'
import { m, stateName } from './words'

/** Calls again and again while the page is looked at. */
export function useEvery(ms: number, work: () => void, on = true) {
  const now = useRef(work)
  now.current = work
  useEffect(() => {
    if (!on) return
    const timer = setInterval(() => { if (!document.hidden) now.current() }, ms)
    return () => clearInterval(timer)
  }, [ms, on])
}

export const LifeState = ({ of }: { of: string }) => <Badge kind={`state ${of.toLowerCase()}`}>{stateName(of)}</Badge>

export interface NodeState {
  name: string
  state: string
  reason?: string
}

/** Gateways and whether they serve what was deployed. */
export function Nodes({ list }: { list: NodeState[] }) {
  if (!list.length) return <p class="soft">{m('nodes.none')}</p>
  return (
    <ul class="nodes">
      {list.map((n) => (
        <li key={n.name}>
          <Badge kind={`node ${n.state.toLowerCase()}`}>{m(`node.${n.state}` as 'node.UP')}</Badge>
          <span>{n.name}</span>
          {n.reason && <p class="bad-text">{n.reason}</p>}
        </li>
      ))}
    </ul>
  )
}

/** Words that one types: Enter or a comma ends one, × removes one. */
export function WordsField({ label, hint, value, set, suggestions }:
  { label: string; hint?: string; value: string[]; set: (value: string[]) => void; suggestions?: string[] }) {
  const [text, setText] = useState('')
  const add = (more: string) => {
    const fresh = more.split(',').map((x) => x.trim()).filter((x) => x && !value.includes(x))
    if (fresh.length) set([...value, ...new Set(fresh)])
    setText('')
  }
  const key = (e: KeyboardEvent) => {
    if (e.key === 'Enter' || e.key === ',') {
      e.preventDefault()
      add(text)
    } else if (e.key === 'Backspace' && !text && value.length) set(value.slice(0, -1))
  }
  return (
    <Field label={label} hint={hint ?? m('words.hint')}>
      {(id) => (
        <div class="wordsfield">
          {value.map((w) => (
            <span key={w} class="word">{w}
              <button type="button" class="plain" aria-label={m('remove.word', w)} onClick={() => set(value.filter((x) => x !== w))}>×</button>
            </span>
          ))}
          <input {...id} value={text} list={suggestions && id.id + 'l'} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={key} onBlur={() => add(text)} autocomplete="off" />
          {suggestions && <datalist id={id.id + 'l'}>{suggestions.filter((x) => !value.includes(x)).map((x) => <option key={x} value={x} />)}</datalist>}
        </div>
      )}
    </Field>
  )
}

export function Section({ title, text, children, actions }: { title: string; text?: string; children: ComponentChildren; actions?: ComponentChildren }) {
  return (
    <section class="card">
      <div class="sectionhead">
        <h2>{title}</h2>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {text && <p class="soft">{text}</p>}
      {children}
    </section>
  )
}

/** A limit as people say it: "1,000 calls a minute". */
export const unitNames = () => [['sec', m('unit.sec')], ['min', m('unit.min')], ['hour', m('unit.hour')], ['day', m('unit.day')], ['month', m('unit.month')], ['year', m('unit.year')]] as [string, string][]
