// SPDX-License-Identifier: Apache-2.0
// The picture of an API. It is read like everything here, with the session: an <img> alone could not.
import { useState } from 'preact/hooks'
import { call, PUBLISHER, raw } from '../lib/api'
import { attempt, enc, Field, Tile, useLoad } from '../lib/ui'
import { Section } from '../manage/parts'
import { mayEdit, type Editing } from './draft'
import { p } from './words'

async function read(id: string): Promise<string> {
  const blob = await (await raw('GET', `${PUBLISHER}/apis/${enc(id)}/thumbnail`)).blob()
  return new Promise((done, failed) => {
    const reader = new FileReader()
    reader.onload = () => done(String(reader.result))
    reader.onerror = () => failed(reader.error)
    reader.readAsDataURL(blob)
  })
}

/** The picture, or letters where there is none. mark changes when the picture may have. */
export function Picture({ api, large, mark }: { api: { id: string; name: string; hasThumbnail?: boolean }; large?: boolean; mark?: string }) {
  const picture = useLoad(async () => (api.hasThumbnail ? read(api.id) : ''), [api.id, api.hasThumbnail, mark])
  return picture.data
    ? <img class={`tile picture${large ? ' large' : ''}`} src={picture.data} alt="" />
    : <Tile name={api.name} large={large} />
}

export function PictureSection({ e }: { e: Editing }) {
  const [busy, setBusy] = useState(false)
  const send = async (file?: File) => {
    if (!file) return
    const form = new FormData()
    form.append('file', file)
    setBusy(true)
    await attempt(() => call('PUT', `${PUBLISHER}/apis/${enc(e.stored.id)}/thumbnail`, { form }), p('picture.saved'))
    setBusy(false)
    await e.reload()
  }
  if (!mayEdit(e.stored)) return null
  return (
    <Section title={p('picture')} text={p('picture.text')}>
      <Field label={p('picture.file')} hint={p('picture.hint')}>
        {(id) => <input {...id} type="file" accept="image/png,image/jpeg,image/gif,image/webp" disabled={busy} aria-busy={busy} onChange={(x) => send(x.currentTarget.files?.[0])} />}
      </Field>
    </Section>
  )
}
