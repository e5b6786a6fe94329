// SPDX-License-Identifier: Apache-2.0
// Where an OpenAPI document comes from: a file, a URL or what is pasted; and what the server says of it.
import { useRef, useState } from 'preact/hooks'
import { call, PUBLISHER } from '../lib/api'
import { setQuery } from '../lib/router'
import { asRefusal, Field, Problem, Text } from '../lib/ui'
import type { Refusal } from '../lib/api'
import { p, type Key } from './words'

export type From = 'file' | 'url' | 'paste'
const kinds: From[] = ['file', 'url', 'paste']

export interface Source {
  from: From
  file: File | null
  url: string
  text: string
}

export const noSource = (from: string | null): Source => ({ from: kinds.find((k) => k === from) ?? 'file', file: null, url: '', text: '' })
export const isGiven = (s: Source) => (s.from === 'file' ? !!s.file : s.from === 'url' ? !!s.url.trim() : !!s.text.trim())

/** The parts of the request; `inline` is the name that the operation has for a pasted document. */
export function sourceForm(s: Source, inline: string): FormData {
  const form = new FormData()
  if (s.from === 'file' && s.file) form.append('file', s.file)
  else if (s.from === 'url') form.append('url', s.url.trim())
  else form.append(inline, s.text)
  return form
}

interface Finding {
  code?: string | null
  message: string
}

export interface Verdict {
  isValid: boolean
  info: { name: string; version: string; context: string | null; description: string | null; openAPIVersion: string; endpoints: string[]; warnings: Finding[] } | null
  errors: Finding[]
}

/** Choosing a source and having it checked. */
export function useSource() {
  const [source, set] = useState(() => noSource(new URLSearchParams(location.search).get('from')))
  const [verdict, setVerdict] = useState<Verdict | null>(null)
  const [error, setError] = useState<Refusal | null>(null)
  const [busy, setBusy] = useState(false)
  const turn = useRef(0)
  const change = (more: Partial<Source>) => {
    turn.current++
    set((s) => ({ ...s, ...more }))
    setVerdict(null)
    setError(null)
    setBusy(false)
  }
  const check = async () => {
    const mine = ++turn.current
    setBusy(true)
    setError(null)
    try {
      const v = await call<Verdict>('POST', `${PUBLISHER}/apis/validate-openapi`, { form: sourceForm(source, 'inlineAPIDefinition') })
      if (mine === turn.current) setVerdict(v)
    } catch (e) {
      if (mine === turn.current) setError(asRefusal(e))
    }
    if (mine === turn.current) setBusy(false)
  }
  return { source, change, verdict, error, busy, check }
}

function Findings({ list }: { list: Finding[] }) {
  return (
    <ul class="findings">
      {list.map((f, i) => <li key={i}>{f.code && f.code !== 'document' && <code>{f.code}</code>} {f.message}</li>)}
    </ul>
  )
}

export function VerdictView({ verdict }: { verdict: Verdict }) {
  if (!verdict.isValid) {
    return (
      <div class="notice bad" role="alert">
        <p><strong>{verdict.errors.length === 1 ? p('source.invalid.one') : p('source.invalid', verdict.errors.length)}</strong></p>
        <Findings list={verdict.errors} />
      </div>
    )
  }
  const info = verdict.info!
  return (
    <div class="notice good" role="status">
      <p><strong>{p('source.valid', info.openAPIVersion)}</strong> {info.name} {info.version}</p>
      {info.warnings.length > 0 && <><p>{p('source.warnings')}</p><Findings list={info.warnings} /></>}
    </div>
  )
}

export function SourceFields({ of }: { of: ReturnType<typeof useSource> }) {
  const { source, change, verdict, error, busy, check } = of
  const choose = (from: From) => {
    setQuery({ from: from === 'file' ? '' : from })
    change({ from })
  }
  return (
    <>
      <fieldset class="choices">
        <legend>{p('source')}</legend>
        {kinds.map((k) => (
          <label key={k} class="check"><input type="radio" name="source" checked={source.from === k} onChange={() => choose(k)} /><span>{p(`source.${k}` as Key)}</span></label>
        ))}
      </fieldset>
      {source.from === 'file' && (
        <Field label={p('source.file.label')} hint={p('source.file.hint')}>
          {(id) => <input {...id} type="file" accept=".json,.yaml,.yml,application/json,application/yaml" onChange={(e) => change({ file: e.currentTarget.files?.[0] ?? null })} />}
        </Field>
      )}
      {source.from === 'url' && <Text label={p('source.url.label')} type="url" value={source.url} set={(url) => change({ url })} placeholder="https://" hint={p('source.url.hint')} />}
      {source.from === 'paste' && <Text label={p('source.paste.label')} rows={12} value={source.text} set={(text) => change({ text })} class="code" spellcheck={false} />}
      <p><button type="button" class="button" disabled={!isGiven(source) || busy} aria-busy={busy} onClick={check}>{p('source.check')}</button></p>
      {error && <Problem error={error} />}
      {verdict && <VerdictView verdict={verdict} />}
    </>
  )
}
