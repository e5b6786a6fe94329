// SPDX-License-Identifier: Apache-2.0
// The frame of every page: header with places, language, colours and account; the way to the log-in.
import { render, type ComponentChildren } from 'preact'
import { signal } from '@preact/signals'
import { ended, logInUrl, logOut, readSession, session } from './api'
import { language, languages, setLanguage, startLanguage, stored, t } from './i18n'
import { Link, place, resolve, setQuery, type Route } from './router'
import { asRefusal, attempt, Confirmation, Empty, Problem, Title, Toasts } from './ui'
import type { Refusal } from './api'

export interface Part {
  id: 'store' | 'publisher' | 'admin'
  title: () => string
  places: { path: string; label: () => string; when?: () => boolean }[]
  routes: Route[]
  open: boolean // may be looked at without logging in
  allowed: () => boolean
}

const failed = signal<Refusal | null>(null)

// -- colours ---------------------------------------------------------------------------------------------------------

const colours = ['auto', 'light', 'dark'] as const
function setColours(name: string) {
  document.documentElement.dataset.colours = name
  stored('colours', name)
}

// -- log-in ------------------------------------------------------------------------------------------------------------

const outcome = signal<'' | 'failed' | 'denied'>('')

/** Reads and removes what the way back from the log-in says. */
function readOutcome() {
  const said = place.value.query.get('login')
  if (said !== 'failed' && said !== 'denied') return
  outcome.value = said
  setQuery({ login: '' })
}

function Outcome() {
  return outcome.value && !session.value?.username
    ? <p class="notice bad" role="alert">{t(`login.${outcome.value}`)}</p>
    : null
}

function LogIn({ signUp }: { signUp: boolean }) {
  return (
    <section class="narrow card center">
      <Title text={ended.value ? t('login') : t('login.needed')} />
      <p class="soft" role="status">{ended.value ? t('login.ended') : t('login.needed.text')}</p>
      <p><a class="button primary large" href={logInUrl()}>{t('login')}</a></p>
      {signUp && session.value?.selfSignUp && <p>{t('login.new')} <Link href="/store/sign-up">{t('signup')}</Link></p>}
    </section>
  )
}

// -- header ------------------------------------------------------------------------------------------------------------

function Account({ part }: { part: Part }) {
  const s = session.value!
  const others = s.parts.filter((p) => p !== part.id)
  return (
    <details class="menu">
      <summary class={s.username ? '' : 'anonymous'}><span>{s.username ?? t('menu')}</span></summary>
      <div>
        {others.map((p) => <a key={p} href={`/${p}/`}>{t(`part.${p as Part['id']}`)}</a>)}
        <label>{t('language')}
          <select value={language.value} onChange={(e) => { const code = e.currentTarget.value; attempt(() => setLanguage(code)) }}>
            {Object.entries(languages).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
          </select>
        </label>
        <label>{t('colours')}
          <select value={document.documentElement.dataset.colours} onChange={(e) => setColours(e.currentTarget.value)}>
            {colours.map((c) => <option key={c} value={c}>{t(`colours.${c}`)}</option>)}
          </select>
        </label>
        {s.username && part.id === 'store' && <Link href="/store/password">{t('password.change')}</Link>}
        {s.username && <button class="button" onClick={() => attempt(logOut)}>{t('logout')}</button>}
      </div>
    </details>
  )
}

function Header({ part }: { part: Part }) {
  const path = place.value.path
  const s = session.value!
  const at = (to: string) => (to === `/${part.id}/` ? path.replace(/\/$/, '') === `/${part.id}` || path.startsWith(`/${part.id}/apis`) : path.startsWith(to))
  return (
    <header class="top">
      <Link href={`/${part.id}/`} class="brand"><img src="/pages/icon.svg" alt="" width="28" height="28" />{part.title()}</Link>
      <nav aria-label={t('places')}>
        {(part.open || s.username) && part.places.filter((p) => !p.when || p.when()).map((p) => (
          <Link key={p.path} href={p.path} aria-current={at(p.path) ? 'page' : undefined}>{p.label()}</Link>
        ))}
      </nav>
      {!s.username && part.open && <a class="button primary" href={logInUrl(path + location.search)}>{t('login')}</a>}
      <Account part={part} />
    </header>
  )
}

// -- the frame -----------------------------------------------------------------------------------------------------------

export function NeedLogIn({ children }: { children: ComponentChildren }) {
  return session.value?.username ? <>{children}</> : <LogIn signUp />
}

function Body({ part }: { part: Part }) {
  if (!session.value!.username && !part.open) return <LogIn signUp={false} />
  if (session.value!.username && !part.allowed()) return <Empty place title={t('forbidden')}><p>{t('forbidden.text', part.title())}</p></Empty>
  return resolve(`/${part.id}`, part.routes) ?? (
    <Empty place title={t('nowhere')}><p><Link href={`/${part.id}/`}>{t('nowhere.back')}</Link></p></Empty>
  )
}

function App({ part }: { part: Part }) {
  if (failed.value) return <main class="page"><h1 class="hidden">{part.title()}</h1><Problem error={failed.value} retry={() => start(part)} /></main>
  return (
    <>
      <a class="skip" href="#main">{t('skip')}</a>
      <Header part={part} />
      <main id="main" class="page" tabIndex={-1}><Outcome /><Body part={part} /></main>
      <footer class="bottom"><span>{t('product')}</span> <a href="/pages/licences.txt">{t('licences')}</a></footer>
      <Toasts />
      <Confirmation />
    </>
  )
}

async function start(part: Part) {
  const root = document.getElementById('app')!
  failed.value = null
  try {
    await Promise.all([startLanguage(), readSession()])
  } catch (e) {
    failed.value = asRefusal(e)
  }
  readOutcome()
  render(<App part={part} />, root)
}

export function run(part: Part) {
  document.documentElement.dataset.colours = stored('colours') ?? 'auto'
  document.addEventListener('click', (e) => {
    for (const d of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) if (!d.contains(e.target as Node) || (e.target as Element).closest('a, button')) d.open = false
  })
  document.addEventListener('keydown', (e) => {
    const d = e.key === 'Escape' && document.querySelector<HTMLDetailsElement>('details.menu[open]')
    if (d) {
      d.open = false
      d.querySelector('summary')?.focus()
    }
  })
  document.getElementById('app')!.replaceChildren()
  start(part)
}
