// SPDX-License-Identifier: Apache-2.0
// One's own account: making it, changing its password.
import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { ended, logInUrl, post, session, STORE } from '../lib/api'
import { NeedLogIn } from '../lib/shell'
import { Empty, FormEnd, Text, Title, useSend } from '../lib/ui'
import { t } from './words'

const CLAIMS = 'http://wso2.org/claims/'

function Done({ title, text, waits }: { title: string; text: string; waits?: boolean }) {
  return (
    <section class="narrow card center" role="status">
      <Title text={title} />
      <p class="soft">{text}</p>
      {!waits && <p><a class="button primary large" href={logInUrl('/store/')}>{t('login')}</a></p>}
    </section>
  )
}

const newPassword = { type: 'password', autocomplete: 'new-password', minLength: 8, maxLength: 72, required: true }

export function SignUp() {
  const [form, setForm] = useState({ username: '', emailaddress: '', givenname: '', lastname: '', password: '' })
  const [done, setDone] = useState('')
  const set = (name: keyof typeof form) => (value: string) => setForm({ ...form, [name]: value })
  const { busy, error, submit } = useSend(async () => {
    const claims = (['emailaddress', 'givenname', 'lastname'] as const).filter((n) => form[n].trim()).map((n) => ({ uri: CLAIMS + n, value: form[n].trim() }))
    const made = await post<{ status: string }>('/api/identity/user/v1.0/me', { user: { username: form.username.trim(), password: form.password, claims }, properties: [] })
    setDone(made.status)
  })
  if (done === 'PENDING') return <Done waits title={t('signup.waiting')} text={t('signup.waiting.text', form.username.trim())} />
  if (done) return <Done title={t('signup.done')} text={t('signup.done.text', form.username.trim())} />
  if (!session.value!.selfSignUp) return <Empty place title={t('signup.off')}><p>{t('signup.off.text')}</p></Empty>
  return (
    <section class="narrow card">
      <Title text={t('signup')} sub={t('signup.sub')} />
      <form onSubmit={submit}>
        <Text label={t('username')} value={form.username} set={set('username')} hint={t('username.hint')} autocomplete="username" autocapitalize="none"
          spellcheck={false} minLength={3} maxLength={60} required />
        <Text label={t('email')} value={form.emailaddress} set={set('emailaddress')} type="email" autocomplete="email" maxLength={200} />
        <div class="pair">
          <Text label={t('given.name')} value={form.givenname} set={set('givenname')} autocomplete="given-name" maxLength={100} />
          <Text label={t('family.name')} value={form.lastname} set={set('lastname')} autocomplete="family-name" maxLength={100} />
        </div>
        <Text label={t('password')} value={form.password} set={set('password')} hint={t('password.hint')} {...newPassword} />
        <FormEnd busy={busy} action={t('signup')} error={error} />
      </form>
      <p class="soft">{t('signup.known')} <a href={logInUrl('/store/')}>{t('login')}</a></p>
    </section>
  )
}

const changed = signal(false)

export function Password() {
  return changed.value && !session.value!.username
    ? <Done title={t('password.done')} text={t('password.done.text')} />
    : <NeedLogIn><PasswordForm /></NeedLogIn>
}

function PasswordForm() {
  const [current, setCurrent] = useState('')
  const [wanted, setWanted] = useState('')
  const { busy, error, submit } = useSend(async () => {
    await post(`${STORE}/me/change-password`, { currentPassword: current, newPassword: wanted })
    changed.value = true
    ended.value = false
    session.value = { ...session.value!, username: null, scopes: [] } // tokens of the old password are dead
  })
  return (
    <section class="narrow card">
      <Title text={t('password.change')} sub={t('password.sub')} />
      <form onSubmit={submit}>
        <input class="hidden" type="text" autocomplete="username" value={session.value!.username!} readOnly tabIndex={-1} aria-hidden="true" />
        <Text label={t('password.current')} value={current} set={setCurrent} type="password" autocomplete="current-password" required />
        <Text label={t('password.new')} value={wanted} set={setWanted} hint={t('password.hint')} {...newPassword} />
        <FormEnd busy={busy} action={t('password.change')} error={error} />
      </form>
    </section>
  )
}
