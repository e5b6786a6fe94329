// SPDX-License-Identifier: Apache-2.0
// Wording. A language is a directory of messages/ with the same keys as en/, a line in `languages` and one for each words().
import { batch, signal } from '@preact/signals'
import { common } from '../messages/en/common'

export type Key = keyof typeof common
type Values = (string | number)[]
type Loader = (code: string) => Promise<() => void>

export const languages: Record<string, string> = { en: 'English', de: 'Deutsch' }
export const language = signal('en')
const loaders: Loader[] = []

const fill = (text: string, values: Values) => text.replace(/\{(\d)\}/g, (_, i) => String(values[Number(i)] ?? ''))

/** A function that gives the text of a key in the present language; {0}, {1} are replaced. Components that call it are drawn
 *  again when the language changes. A part has its own words, so that it loads only those. */
export function words<K extends string>(en: Record<K, string>, others: Record<string, () => Promise<Record<K, string>>>) {
  const now = signal<Record<K, string>>(en)
  loaders.push(async (code) => {
    const found = others[code] ? await others[code]() : en
    return () => { now.value = found }
  })
  return (key: K, ...values: Values) => fill(now.value[key] ?? key, values)
}

export const t = words<Key>(common, { de: async () => (await import('../messages/de/common')).common })

/** The text of a key made at run time, such as 'state.' + state; the fallback if there is none. */
export const tx = (key: string, fallback: string) => (key in common ? t(key as Key) : fallback)

/** All words change at once, when they are there. */
export async function setLanguage(code: string, remember = true) {
  const changes = await Promise.all(loaders.map((load) => load(code)))
  batch(() => {
    changes.forEach((change) => change())
    language.value = code
  })
  document.documentElement.lang = code
  if (remember) stored('language', code)
}

/** Reads or writes a setting of this browser; a browser without storage has none. */
export function stored(name: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem('apim.' + name, value)
    return localStorage.getItem('apim.' + name)
  } catch {
    return null
  }
}

export async function startLanguage() {
  const known = (l: string | null) => (l && l in languages ? l : undefined)
  const wanted = known(stored('language')) ?? navigator.languages.map((l) => l.slice(0, 2)).find(known) ?? 'en'
  await setLanguage(wanted, false).catch(() => undefined) // English is always there
}

export const dateTime = (iso: string | number | undefined) =>
  iso ? new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso)) : ''
export const date = (iso: string | number | undefined) =>
  iso ? new Intl.DateTimeFormat(language.value, { dateStyle: 'medium' }).format(new Date(iso)) : ''
export const number = (n: number) => new Intl.NumberFormat(language.value).format(n)
