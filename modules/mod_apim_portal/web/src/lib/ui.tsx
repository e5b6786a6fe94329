// SPDX-License-Identifier: Apache-2.0
// What all pages are made of.
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Refusal, type List } from './api'
import { t, tx, number } from './i18n'
import { Link, place, setQuery } from './router'

// -- loading -----------------------------------------------------------------------------------------------------

export interface Loaded<T> {
  data?: T
  error?: Refusal
  loading: boolean
  reload: () => Promise<void>
}

/** Runs load at once and whenever deps change; an answer that comes late is dropped. */
export function useLoad<T>(load: () => Promise<T>, deps: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: Refusal; loading: boolean }>({ loading: true })
  const turn = useRef(0)
  const run = useCallback(async (fresh: boolean) => {
    const mine = ++turn.current
    set((s) => ({ data: fresh ? undefined : s.data, loading: true }))
    try {
      const data = await load()
      if (mine === turn.current) set({ data, loading: false })
    } catch (e) {
      if (mine === turn.current) set({ error: asRefusal(e), loading: false })
    }
  }, deps)
  useEffect(() => {
    run(false)
    return () => {
      turn.current++
    }
  }, [run])
  return { ...state, reload: () => run(false) }
}

export const asRefusal = (e: unknown) => (e instanceof Refusal ? e : new Refusal(-1, String(e)))

export function explain(e: Refusal): string {
  if (e.status === 0) return t('error.unreachable')
  return e.message || t('error.unknown')
}

export function Problem({ error, retry }: { error: Refusal; retry?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>{explain(error)}</p>
      {error.details.length > 0 && <ul>{error.details.map((d) => <li key={d}>{d}</li>)}</ul>}
      {retry && <button class="button" onClick={retry}>{t('retry')}</button>}
    </div>
  )
}

export function Skeleton({ rows = 3 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{t('loading')}</span>
      {Array.from({ length: rows }, (_, i) => <div key={i} />)}
    </div>
  )
}

/** Shows what was loaded, or that it is being loaded, or why it was not. title: of a page whose heading comes with the data. */
export function Show<T>({ of, children, rows, title }: { of: Loaded<T>; children: (data: T) => ComponentChildren; rows?: number; title?: string }) {
  if (of.data !== undefined) return <div class={of.loading ? 'stale' : ''}>{children(of.data)}</div>
  return (
    <>
      {title && <h1 class="hidden">{title}</h1>}
      {of.error ? <Problem error={of.error} retry={of.reload} /> : <Skeleton rows={rows} />}
    </>
  )
}

/** Nothing is there. place: it is all that the page shows, and names it. */
export function Empty({ title, children, place }: { title: string; children?: ComponentChildren; place?: boolean }) {
  useEffect(() => {
    if (place) document.title = title
  }, [title, place])
  return (
    <div class="empty">
      {place ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  )
}

// -- toasts --------------------------------------------------------------------------------------------------------

interface Toast {
  id: number
  text: string
  bad: boolean
}
const toasts = signal<Toast[]>([])
let lastToast = 0

export function say(text: string, bad = false) {
  const id = ++lastToast
  toasts.value = [...toasts.value, { id, text, bad }]
  setTimeout(() => dismiss(id), bad ? 12000 : 5000)
}
const dismiss = (id: number) => {
  toasts.value = toasts.value.filter((x) => x.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((x) => (
        <div key={x.id} class={x.bad ? 'toast bad' : 'toast'}>
          <span>{x.text}</span>
          <button class="plain" aria-label={t('close')} onClick={() => dismiss(x.id)}>×</button>
        </div>
      ))}
    </div>
  )
}

/** Runs something a button does: says when it fails, and what it says on success. Returns whether it worked. */
export async function attempt(work: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await work()
    if (done) say(done)
    return true
  } catch (e) {
    const r = asRefusal(e)
    say([explain(r), ...r.details].join(' '), true)
    return false
  }
}

// -- dialogs -------------------------------------------------------------------------------------------------------

export function Dialog({ title, close, children, wide }: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => { // before it is painted: there is no moment in which it stands beside the page
    const before = document.activeElement as HTMLElement | null
    const dialog = ref.current
    dialog?.showModal()
    return () => {
      dialog?.close() // nothing outside can take the focus while it is open
      before?.focus?.()
    }
  }, [])
  return (
    <dialog ref={ref} aria-labelledby={id} class={wide ? 'wide' : ''} onCancel={(e) => { e.preventDefault(); close() }}>
      <div class="dialog-head">
        <h2 id={id}>{title}</h2>
        <button class="plain" aria-label={t('close')} onClick={close}>×</button>
      </div>
      {children}
    </dialog>
  )
}

interface Question {
  title: string
  text: string
  action: string
  answer: (yes: boolean) => void
}
const question = signal<Question | null>(null)

/** Asks before something that cannot be undone. */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((answer) => {
    question.value = { title, text, action, answer }
  })
}

export function Confirmation() {
  const q = question.value
  if (!q) return null
  const end = (yes: boolean) => {
    question.value = null
    q.answer(yes)
  }
  return (
    <Dialog title={q.title} close={() => end(false)}>
      <p>{q.text}</p>
      <div class="form-end">
        <button class="button" onClick={() => end(false)}>{t('cancel')}</button>
        <button class="button danger" onClick={() => end(true)}>{q.action}</button>
      </div>
    </Dialog>
  )
}

// -- forms ---------------------------------------------------------------------------------------------------------

/** State of a form that sends: busy while it does, and what was refused. */
export function useSend(send: () => Promise<unknown>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refusal | null>(null)
  const submit = async (e?: Event) => {
    e?.preventDefault()
    if (busy) return
    setBusy(true)
    setError(null)
    try {
      await send()
    } catch (x) {
      setError(asRefusal(x))
    }
    setBusy(false)
  }
  return { busy, error, submit }
}

interface FieldProps {
  label: string
  hint?: string
  children: (id: { id: string; 'aria-describedby'?: string }) => ComponentChildren
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(hint ? { 'aria-describedby': id + 'h' } : {}) })}
      {hint && <small id={id + 'h'}>{hint}</small>}
    </div>
  )
}

interface TextProps {
  label: string
  value: string
  set: (value: string) => void
  hint?: string
  type?: string
  required?: boolean
  rows?: number
  [more: string]: unknown
}

export function Text({ label, value, set, hint, type = 'text', rows, ...more }: TextProps) {
  return (
    <Field label={label} hint={hint}>
      {(id) => rows
        ? <textarea {...id} rows={rows} value={value} onInput={(e) => set(e.currentTarget.value)} {...more} />
        : <input {...id} type={type as 'text'} value={value} onInput={(e) => set(e.currentTarget.value)} {...more} />}
    </Field>
  )
}

export type Choice = string | [value: string, label: string]

export function Select({ label, value, set, choices, hint, ...more }: { label: string; value: string; set: (v: string) => void; choices: Choice[]; hint?: string; [more: string]: unknown }) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <select {...id} value={value} onChange={(e) => set(e.currentTarget.value)} {...more}>
          {choices.map((c) => {
            const [v, l] = typeof c === 'string' ? [c, c] : c
            return <option key={v} value={v}>{l}</option>
          })}
        </select>
      )}
    </Field>
  )
}

export function Check({ label, on, set, ...more }: { label: string; on: boolean; set: (on: boolean) => void; [more: string]: unknown }) {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onChange={(e) => set(e.currentTarget.checked)} {...more} />
      <span>{label}</span>
    </label>
  )
}

/** Several of a list. */
export function Checks({ legend, choices, on, set }: { legend: string; choices: Choice[]; on: string[]; set: (on: string[]) => void }) {
  return (
    <fieldset class="checks">
      <legend>{legend}</legend>
      {choices.map((c) => {
        const [v, l] = typeof c === 'string' ? [c, c] : c
        return <Check key={v} label={l} on={on.includes(v)} set={(yes) => set(yes ? [...on, v] : on.filter((x) => x !== v))} />
      })}
    </fieldset>
  )
}

export function FormEnd({ busy, action, cancel, error }: { busy: boolean; action: string; cancel?: () => void; error: Refusal | null }) {
  return (
    <>
      {error && <Problem error={error} />}
      <div class="form-end">
        {cancel && <button type="button" class="button" onClick={cancel}>{t('cancel')}</button>}
        <button class="button primary" disabled={busy} aria-busy={busy}>{action}</button>
      </div>
    </>
  )
}

// -- small things --------------------------------------------------------------------------------------------------

export function Copy({ text, label }: { text: string; label?: string }) {
  const [done, set] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      const area = document.createElement('textarea')
      area.value = text
      document.body.append(area)
      area.select()
      document.execCommand('copy')
      area.remove()
    }
    set(true)
    setTimeout(() => set(false), 2000)
  }
  return <button type="button" class="button small" onClick={copy}>{done ? t('copied') : label ?? t('copy')}</button>
}

/** A value to take along: a key, a URL, a command. */
export function Value({ label, text, secret, lines }: { label: string; text: string; secret?: boolean; lines?: boolean }) {
  return (
    <div class="value">
      <span class="label">{label}</span>
      <div>
        {lines ? <pre tabIndex={0} aria-label={label}>{text}</pre> : <code class={secret ? 'secret' : ''}>{text}</code>}
        <Copy text={text} />
      </div>
    </div>
  )
}

export const Badge = ({ kind, children }: { kind?: string; children: ComponentChildren }) => <span class={`badge ${kind ?? ''}`}>{children}</span>

export function State({ of }: { of: string }) {
  return <Badge kind={of.toLowerCase()}>{tx('state.' + of, of)}</Badge>
}

export const Verb = ({ verb }: { verb: string }) => <span class={`verb ${verb.toLowerCase()}`}>{verb}</span>

/** A coloured tile with the first letters of a name. */
export function Tile({ name, large }: { name: string; large?: boolean }) {
  const sum = [...name].reduce((a, c) => (a * 31 + c.charCodeAt(0)) >>> 0, 7)
  const caps = name.replace(/[^\p{L}\p{N}]/gu, '').replace(/^(.)([^A-Z]*)([A-Z])?.*$/u, (_, a, b, c) => a.toUpperCase() + (c ?? (b[0] ?? '').toLowerCase()))
  return <span class={`tile c${sum % 8}${large ? ' large' : ''}`} aria-hidden="true">{caps.slice(0, 2)}</span>
}

export function Tabs({ base, now, tabs, label }: { base: string; now: string; label: string; tabs: [id: string, label: string][] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(([id, label]) => (
        <Link key={id} href={id ? `${base}/${id}` : base} aria-current={id === now ? 'page' : undefined}>{label}</Link>
      ))}
    </nav>
  )
}

const PAGE = 24
export const pageSize = PAGE
export const pageOffset = () => Math.max(0, (Number(place.value.query.get('page')) || 1) - 1) * PAGE

export function Pager({ of }: { of: List<unknown> }) {
  const { total, offset, limit } = of.pagination
  const page = Math.floor(offset / limit) + 1
  const last = Math.max(1, Math.ceil(total / limit))
  if (last <= 1) return null
  const to = (n: number) => setQuery({ page: n > 1 ? String(n) : '' }, false)
  return (
    <nav class="pager" aria-label={t('pages')}>
      <button class="button" disabled={page <= 1} onClick={() => to(page - 1)}>{t('previous')}</button>
      <span>{t('page.of', number(page), number(last))}</span>
      <button class="button" disabled={page >= last} onClick={() => to(page + 1)}>{t('next')}</button>
    </nav>
  )
}

/** A search field that keeps what is typed in the place's query (?q=). */
export function Search({ label }: { label: string }) {
  const now = place.value.query.get('q') ?? ''
  const [text, set] = useState(now)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => set(now), [now])
  const type = (value: string) => {
    set(value)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setQuery({ q: value.trim(), page: '' }), 250)
  }
  return (
    <form role="search" class="search" onSubmit={(e) => { e.preventDefault(); clearTimeout(timer.current); setQuery({ q: text.trim(), page: '' }) }}>
      <input type="search" aria-label={label} placeholder={label} value={text} onInput={(e) => type(e.currentTarget.value)} />
    </form>
  )
}

export function Title({ text, children, sub }: { text: string; children?: ComponentChildren; sub?: ComponentChildren }) {
  useEffect(() => {
    document.title = text
  }, [text])
  return (
    <div class="title">
      <div>
        <h1>{text}</h1>
        {sub && <p class="soft">{sub}</p>}
      </div>
      {children && <div class="form-end">{children}</div>}
    </div>
  )
}

/** stack: on a narrow screen each row becomes a card. */
export function Table({ head, children, label, stack }: { head: string[]; children: ComponentChildren; label: string; stack?: boolean }) {
  return (
    <div class={stack ? 'table stack' : 'table'} role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead><tr>{head.map((h, i) => <th key={i} scope="col">{h || <span class="hidden">{t('actions')}</span>}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

export const enc = encodeURIComponent
