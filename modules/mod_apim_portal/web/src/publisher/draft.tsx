// SPDX-License-Identifier: Apache-2.0
// What one has changed of an API and not saved yet. It outlives going to another tab or page, and only what was changed
// is sent, so that two people who change different things do not undo each other's work.
import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { PUBLISHER, type Refusal } from '../lib/api'
import { asRefusal, enc, Problem, say, useLoad } from '../lib/ui'
import { getTagged, putTagged, type Tagged } from '../manage/tagged'
import { m } from '../manage/words'
import { publisher } from '../messages/en/publisher'
import { mayCreate, mayPublish, withoutBlanks, type Api } from './types'
import { p, type Key } from './words'

type Changes = Partial<Api>

const drafts = signal<Record<string, Changes>>({})
const setDraft = (id: string, changes: Changes) => {
  const { [id]: _, ...others } = drafts.value
  drafts.value = Object.keys(changes).length ? { ...others, [id]: changes } : others
}

export const dropDraft = (id: string) => setDraft(id, {})

addEventListener('beforeunload', (e) => {
  if (Object.keys(drafts.value).length) e.preventDefault()
})

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** The API as stored with one's changes on top, and how to change, save and read it anew. */
export function useApi(id: string) {
  const path = `${PUBLISHER}/apis/${enc(id)}`
  const loaded = useLoad(() => getTagged<Api>(path), [id])
  const [fresh, setFresh] = useState<Tagged<Api> | null>(null)
  useEffect(() => setFresh(null), [loaded.data])
  const now = fresh ?? loaded.data
  const changes = drafts.value[id] ?? {}
  return {
    loaded, changes,
    stored: now?.value,
    etag: now?.etag ?? '',
    api: now && { ...now.value, ...changes },
    reload: loaded.reload,
    change: (more: Changes) => {
      const all = { ...drafts.peek()[id], ...more }
      const real = Object.entries(all).filter(([k, v]) => !same(v, now?.value[k as keyof Api]))
      setDraft(id, Object.fromEntries(real))
    },
    discard: () => dropDraft(id),
    save: async () => {
      const done = await putTagged<Api>(path, withoutBlanks(changes), now?.etag ?? '')
      dropDraft(id)
      setFresh(done)
    },
    /** Reads what others have stored; one's own changes stay on top. Gives the names of what they changed. */
    merge: async () => {
      const theirs = await getTagged<Api>(path)
      const differ = Object.keys(theirs.value).filter((k) => !k.startsWith('lastUpdated') && k !== 'updatedBy' && !same(theirs.value[k as keyof Api], now?.value[k as keyof Api]))
      setFresh(theirs)
      return differ
    },
  }
}

export type Editing = ReturnType<typeof useApi> & { api: Api; stored: Api }

/** Who may change an API: once it is out, only those who publish. */
export function mayEdit(api: Api) {
  return ['PUBLISHED', 'BLOCKED', 'DEPRECATED'].includes(api.lifeCycleStatus) ? mayPublish() : mayCreate() || mayPublish()
}

const memberName = (name: string) => (`member.${name}` in publisher ? p(`member.${name}` as Key) : name)

export function SaveBar({ e }: { e: Editing }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refusal | null>(null)
  const [theirs, setTheirs] = useState<string[] | null>(null)
  const names = Object.keys(e.changes)
  const [draft, draftOf] = [drafts.value[e.stored.id], e.stored.id]
  useEffect(() => setError(null), [draft, draftOf]) // what was refused has been changed
  if (!names.length) return null
  const run = async (work: () => Promise<void>) => {
    setBusy(true)
    setError(null)
    setTheirs(null)
    try {
      await work()
    } catch (x) {
      setError(asRefusal(x))
    }
    setBusy(false)
  }
  const conflict = error?.status === 412
  return (
    <section class="savebar" aria-label={p('unsaved')}>
      {error && <Problem error={error} />}
      {conflict && <p>{p('conflict', e.stored.name)}</p>}
      {theirs && <p role="status">{theirs.length ? p('conflict.theirs', theirs.map(memberName).join(', ')) : p('conflict.nothing')} {p('conflict.again')}</p>}
      <div class="savebar-line">
        <span role="status">{p('unsaved.what', names.map(memberName).join(', '))}</span>
        <span class="actions">
          {conflict
            ? <>
                <button class="button" onClick={() => run(async () => { e.discard(); await e.reload() })}>{p('conflict.reload')}</button>
                <button class="button primary" disabled={busy} onClick={() => run(async () => setTheirs(await e.merge()))}>{p('conflict.merge')}</button>
              </>
            : <>
                <button class="button" disabled={busy} onClick={() => { setTheirs(null); e.discard() }}>{p('discard')}</button>
                <button class="button primary" disabled={busy} aria-busy={busy} onClick={() => run(async () => { await e.save(); say(m('saved')) })}>{m('save')}</button>
              </>}
        </span>
      </div>
    </section>
  )
}
