// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document of an API: seen, taken along, replaced.
import { useState } from 'preact/hooks'
import { call, get, PUBLISHER } from '../lib/api'
import { confirm, Copy, Dialog, enc, FormEnd, say, Show, useLoad, useSend } from '../lib/ui'
import { Section } from '../manage/parts'
import { dropDraft, mayEdit, type Editing } from './draft'
import { SourceFields, sourceForm, useSource } from './source'
import { p } from './words'

const SHOWN = 200_000 // characters; a browser gets slow over more

function Replace({ e, close, done }: { e: Editing; close: () => void; done: () => void }) {
  const of = useSource()
  const { busy, error, submit } = useSend(async () => {
    await call('PUT', `${PUBLISHER}/apis/${enc(e.stored.id)}/swagger`, { form: sourceForm(of.source, 'apiDefinition'), headers: { 'If-Match': e.etag } })
    dropDraft(e.stored.id)
    await e.reload()
    say(p('definition.replaced'))
    done()
  })
  const send = async (x: Event) => {
    x.preventDefault()
    if (!of.verdict?.isValid) await of.check()
    else if (!Object.keys(e.changes).length || await confirm(p('definition.replace'), p('definition.drops'), p('definition.replace'))) await submit()
  }
  return (
    <Dialog title={p('definition.replace')} close={close} wide>
      <form onSubmit={send}>
        <p>{p('definition.replace.text')}</p>
        <SourceFields of={of} />
        {of.verdict?.isValid && <FormEnd busy={busy} action={p('definition.replace')} cancel={close} error={error} />}
      </form>
    </Dialog>
  )
}

export function Definition({ e }: { e: Editing }) {
  const [replacing, setReplacing] = useState(false)
  const path = `${PUBLISHER}/apis/${enc(e.stored.id)}/swagger`
  const document = useLoad(async () => JSON.stringify(await get(path), null, 2), [path, e.etag])
  const download = (text: string) => {
    const a = window.document.createElement('a')
    a.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
    a.download = `${e.stored.name}-${e.stored.version}.json`
    a.click()
    setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
  }
  return (
    <>
      <Show of={document} rows={8}>
        {(text) => (
          <Section title="OpenAPI" text={p('definition.text')} actions={<>
            <Copy text={text} />
            <button class="button small" onClick={() => download(text)}>{p('definition.download')}</button>
            {mayEdit(e.stored) && <button class="button small" onClick={() => setReplacing(true)}>{p('definition.replace')}</button>}
          </>}>
            <pre class="document" tabIndex={0} aria-label="OpenAPI">{text.slice(0, SHOWN)}</pre>
            {text.length > SHOWN && <p class="notice">{p('definition.cut')}</p>}
          </Section>
        )}
      </Show>
      {replacing && <Replace e={e} close={() => setReplacing(false)} done={() => setReplacing(false)} />}
    </>
  )
}
