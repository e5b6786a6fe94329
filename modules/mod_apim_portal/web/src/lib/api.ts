// SPDX-License-Identifier: Apache-2.0
// Calls to the REST APIs. The browser has a cookie; the header says that a page of ours asks.
import { signal } from '@preact/signals'

export const STORE = '/api/am/devportal/v3'
export const PUBLISHER = '/api/am/publisher/v4'
export const ADMIN = '/api/am/admin/v4'

export interface Session {
  username: string | null
  scopes: string[]
  parts: string[]
  selfSignUp: boolean
  gatewayUrl: string
  tokenUrl: string
  expiresAt?: string
}

export interface List<T> {
  count: number
  list: T[]
  pagination: { offset: number; limit: number; total: number }
}

export const session = signal<Session | null>(null)
/** Set when the server said that a session has ended. */
export const ended = signal(false)

export const has = (...scopes: string[]) => scopes.some((s) => session.value?.scopes.includes(s))

/** What the server refused, in its words; status 0: it could not be reached. */
export class Refusal extends Error {
  constructor(readonly status: number, message: string, readonly details: string[] = [], readonly code = 0) {
    super(message)
  }
}

async function refusal(r: Response): Promise<Refusal> {
  const body = await r.json().catch(() => null)
  const details = ((body?.error ?? []) as { message: string }[]).map((e) => e.message)
  return new Refusal(r.status, body?.description || body?.message || `${r.status} ${r.statusText}`, details, body?.code ?? 0)
}

export type Query = Record<string, string | number | boolean | undefined>

export function withQuery(path: string, query: Query = {}): string {
  const set = Object.entries(query).filter(([, v]) => v !== undefined && v !== '')
  return set.length ? `${path}?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}` : path
}

export interface Options {
  query?: Query
  json?: unknown
  form?: FormData
  headers?: Record<string, string>
}

export async function raw(method: string, path: string, { query, json, form, headers }: Options = {}): Promise<Response> {
  let r: Response
  try {
    r = await fetch(withQuery(path, query), {
      method,
      credentials: 'same-origin',
      headers: { 'X-Apim-Session': '1', ...(json !== undefined ? { 'Content-Type': 'application/json' } : {}), ...headers },
      body: json !== undefined ? JSON.stringify(json) : form,
    })
  } catch {
    throw new Refusal(0, '')
  }
  if (r.status === 401 && session.value?.username && !path.startsWith(SESSION)) {
    ended.value = true
    session.value = { ...session.value, username: null, scopes: [] }
  }
  if (!r.ok) throw await refusal(r)
  return r
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const r = await raw(method, path, options)
  return (r.headers.get('Content-Type')?.includes('json') ? r.json() : r.text()) as Promise<T>
}

export const get = <T>(path: string, query?: Query) => call<T>('GET', path, { query })
export const post = <T>(path: string, json: unknown = {}, query?: Query) => call<T>('POST', path, { json, query })
export const put = <T>(path: string, json: unknown) => call<T>('PUT', path, { json })
export const remove = (path: string) => call<unknown>('DELETE', path)

const SESSION = '/api/am/portal/v1/session'

export async function readSession() {
  session.value = await get<Session>(SESSION)
}
/** Where one logs in; the browser comes back to the page named, or to the present one. */
export const logInUrl = (to = location.pathname + location.search) => `/api/am/portal/v1/login?return=${encodeURIComponent(to)}`

/** Ends the session here, then the log-in at the Key Manager. */
export async function logOut() {
  const { logoutUrl } = await call<{ logoutUrl: string | null }>('DELETE', SESSION)
  location.assign(logoutUrl ?? '/')
}
