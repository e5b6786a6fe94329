// SPDX-License-Identifier: Apache-2.0
// What people think of an API: stars and comments with answers.
import { useState } from 'preact/hooks'
import { call, get, has, logInUrl, post, put, remove, session, STORE, type List } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { attempt, confirm, Empty, FormEnd, say, Show, Text, useLoad, useSend } from '../lib/ui'
import type { Api } from './types'
import { t } from './words'

const MAX = 512
const mayWrite = () => has('apim:subscribe', 'apim:admin')

// -- stars -----------------------------------------------------------------------------------------------------------

/** An average, for people and for screen readers; nothing where nobody has rated. */
export function Stars({ average }: { average?: string }) {
  const value = Number(average ?? 0)
  return value > 0 ? <span class="stars"><span aria-hidden="true">★</span> {number(value)}<span class="hidden"> {t('rating.of.five')}</span></span> : null
}

interface Ratings {
  avgRating: string
  userRating: number
  count: number
}

export function Rating({ api }: { api: Api }) {
  const ratings = useLoad(() => get<Ratings>(`${STORE}/apis/${api.id}/ratings`, { limit: 1 }), [api.id])
  const rate = async (n: number, now: number) => {
    const path = `${STORE}/apis/${api.id}/user-rating`
    if (await attempt(() => (n === now ? remove(path) : put(path, { rating: n })), n === now ? t('rating.gone') : t('rating.thanks'))) ratings.reload()
  }
  return (
    <section class="card">
      <h2>{t('rating')}</h2>
      <Show of={ratings} rows={1}>
        {(r) => (
          <>
            <p>{Number(r.avgRating) > 0 ? <Stars average={r.avgRating} /> : <span class="soft">{t('rating.none')}</span>}</p>
            {mayWrite()
              ? <div class="rate" role="group" aria-label={t('rating.yours')}>
                  {[1, 2, 3, 4, 5].map((n) => (
                    <button key={n} type="button" class={n <= r.userRating ? 'star on' : 'star'} aria-pressed={n === r.userRating} aria-label={t('rating.give', n)} onClick={() => rate(n, r.userRating)}>
                      <span aria-hidden="true">{n <= r.userRating ? '★' : '☆'}</span>
                    </button>
                  ))}
                  <span class="soft">{r.userRating ? t('rating.yours') : t('rating.ask')}</span>
                </div>
              : !session.value!.username && <p><a href={logInUrl()}>{t('login')}</a> <span class="soft">{t('rating.login')}</span></p>}
          </>
        )}
      </Show>
    </section>
  )
}

// -- comments --------------------------------------------------------------------------------------------------------

interface Comment {
  id: string
  content: string
  createdBy: string
  createdTime: string
  updatedTime?: string | null
  replies?: List<Comment>
}

function Write({ label, action, first = '', send, cancel }: { label: string; action: string; first?: string; send: (text: string) => Promise<unknown>; cancel?: () => void }) {
  const [text, setText] = useState(first)
  const { busy, error, submit } = useSend(async () => {
    await send(text.trim())
    setText('')
  })
  return (
    <form class="write" onSubmit={submit}>
      <Text label={label} value={text} set={setText} rows={3} maxLength={MAX} required autofocus={!!cancel} />
      <FormEnd busy={busy} action={action} cancel={cancel} error={error} />
    </form>
  )
}

function One({ path, of, answers, reload }: { path: string; of: Comment; answers?: boolean; reload: () => void }) {
  const [doing, setDoing] = useState<'' | 'answer' | 'change'>('')
  const [more, setMore] = useState<Comment[]>([])
  const mine = mayWrite() && of.createdBy === session.value!.username
  const shown = [...(of.replies?.list ?? []), ...more]
  const left = (of.replies?.pagination.total ?? 0) - shown.length
  const done = () => {
    setDoing('')
    setMore([])
    reload()
  }
  const drop = async () => {
    if (await confirm(t('comment.delete'), t('comment.delete.text'), t('delete')) && await attempt(() => remove(`${path}/${of.id}`), t('comment.deleted'))) done()
  }
  return (
    <li class="comment">
      <p class="by"><strong>{of.createdBy}</strong> <time class="soft" dateTime={of.createdTime}>{dateTime(of.createdTime)}</time>{of.updatedTime && <span class="soft"> · {t('comment.changed')}</span>}</p>
      {doing === 'change'
        ? <Write label={t('comment.yours')} action={t('save')} first={of.content} cancel={() => setDoing('')}
            send={async (content) => { await call('PATCH', `${path}/${of.id}`, { json: { content } }); done() }} />
        : <p class="long">{of.content}</p>}
      <div class="actions">
        {answers && mayWrite() && doing === '' && <button class="button small" onClick={() => setDoing('answer')}>{t('comment.answer')}</button>}
        {mine && doing === '' && <button class="button small" onClick={() => setDoing('change')}>{t('edit')}</button>}
        {(mine || has('apim:admin')) && doing === '' && <button class="button small danger" onClick={drop}>{t('delete')}</button>}
      </div>
      {doing === 'answer' && <Write label={t('comment.your.answer')} action={t('comment.send')} cancel={() => setDoing('')}
        send={async (content) => { await call('POST', path, { json: { content, category: 'general' }, query: { replyTo: of.id } }); done() }} />}
      {shown.length > 0 && <ul class="plainlist">{shown.map((r) => <One key={r.id} path={path} of={r} reload={done} />)}</ul>}
      {answers && left > 0 && <button class="button small" onClick={() => attempt(async () => {
        const page = await get<List<Comment>>(`${path}/${of.id}/replies`, { offset: shown.length, limit: 50 })
        setMore([...more, ...page.list])
      })}>{t('more', left)}</button>}
    </li>
  )
}

export function Comments({ api }: { api: Api }) {
  const path = `${STORE}/apis/${api.id}/comments`
  const [limit, setLimit] = useState(20)
  const list = useLoad(() => get<List<Comment>>(path, { limit, replyLimit: 5 }), [api.id, limit])
  return (
    <section class="card narrow wide">
      <h2>{t('comments')}</h2>
      {mayWrite()
        ? <Write label={t('comment.yours')} action={t('comment.send')} send={async (content) => { await post(path, { content, category: 'general' }); say(t('comment.thanks')); list.reload() }} />
        : !session.value!.username && <p><a href={logInUrl()}>{t('login')}</a> <span class="soft">{t('comment.login')}</span></p>}
      <Show of={list} rows={2}>
        {(data) => data.list.length === 0
          ? <Empty title={t('comments.none')} />
          : <>
              <ul class="plainlist comments">{data.list.map((c) => <One key={c.id} path={path} of={c} answers reload={list.reload} />)}</ul>
              {data.pagination.total > data.list.length && <button class="button" onClick={() => setLimit(limit + 50)}>{t('more', data.pagination.total - data.list.length)}</button>}
            </>}
      </Show>
    </section>
  )
}
