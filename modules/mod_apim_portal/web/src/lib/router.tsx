// SPDX-License-Identifier: Apache-2.0
// Places have addresses: the path below the part's own (/store) and the query.
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

export const place = signal({ path: location.pathname, query: new URLSearchParams(location.search) })

function read(moved: boolean) {
  place.value = { path: location.pathname, query: new URLSearchParams(location.search) }
  if (moved) {
    scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  }
}
addEventListener('popstate', () => read(false))

export function go(to: string, replace = false) {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  read(!replace)
}

/** Changes query parameters of the present place; '' removes one. */
export function setQuery(change: Record<string, string>, replace = true) {
  const q = new URLSearchParams(location.search)
  for (const [k, v] of Object.entries(change)) {
    if (v) q.set(k, v)
    else q.delete(k)
  }
  const text = q.toString()
  const to = location.pathname + (text ? '?' + text : '')
  if (replace) {
    history.replaceState(null, '', to)
    read(false)
  } else go(to)
}

interface LinkProps {
  href: string
  children: ComponentChildren
  class?: string
  [more: string]: unknown
}

export function Link({ href, children, ...more }: LinkProps) {
  const follow = (e: MouseEvent) => {
    if (e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    e.preventDefault()
    go(href)
  }
  return <a href={href} onClick={follow} {...more}>{children}</a>
}

export interface Route {
  path: string // '/apis/:id/:tab?'
  view: (params: Record<string, string>) => ComponentChildren
}

function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/').filter(Boolean)
  const have = path.split('/').filter(Boolean)
  const params: Record<string, string> = {}
  if (have.length > want.length) return null
  for (let i = 0; i < want.length; i++) {
    const name = want[i].replace(/[:?]/g, '')
    if (have[i] === undefined) {
      if (!want[i].endsWith('?')) return null
    } else if (want[i].startsWith(':')) {
      try {
        params[name] = decodeURIComponent(have[i])
      } catch {
        return null
      }
    } else if (want[i] !== have[i]) return null
  }
  return params
}

/** The view of the first route that fits; NULL if none does. */
export function resolve(base: string, routes: Route[]) {
  const path = place.value.path.slice(base.length)
  for (const route of routes) {
    const params = match(route.path, path)
    if (params) return route.view(params)
  }
  return null
}
