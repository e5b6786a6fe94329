// SPDX-License-Identifier: Apache-2.0
// Documents of an API: text, Markdown, addresses and files that subscribers read in the Store.
import { useState } from 'preact/hooks'
import { call, get, has, post, PUBLISHER, put, raw, remove, type List } from '../lib/api'
import { date } from '../lib/i18n'
import { attempt, Badge, confirm, Dialog, Empty, enc, Field, FormEnd, say, Select, Show, Table, Text, useLoad, useSend } from '../lib/ui'
import { Section } from '../manage/parts'
import { m } from '../manage/words'
import type { Editing } from './draft'
import { p, type Key } from './words'

interface Document {
  documentId: string
  name: string
  type: string
  otherTypeName?: string | null
  summary: string
  sourceType: string
  sourceUrl?: string | null
  fileName?: string | null
  visibility: string
  lastUpdatedTime: string
}

const types = ['HOWTO', 'SAMPLES', 'PUBLIC_FORUM', 'SUPPORT_FORUM', 'API_MESSAGE_FORMAT', 'OTHER']
const sources = ['MARKDOWN', 'INLINE', 'URL', 'FILE']
const visibilities = ['API_LEVEL', 'PRIVATE', 'OWNER_ONLY']
const none: Document = { documentId: '', name: '', type: 'HOWTO', summary: '', sourceType: 'MARKDOWN', visibility: 'API_LEVEL', lastUpdatedTime: '' }
const isText = (d: Document) => d.sourceType === 'INLINE' || d.sourceType === 'MARKDOWN'
const path = (api: string, id = '') => `${PUBLISHER}/apis/${enc(api)}/documents${id && `/${enc(id)}`}`
const mayWrite = () => has('apim:document_create', 'apim:document_manage', 'apim:api_manage', 'apim:admin')

function DocumentForm({ api, document, text, close, done }: { api: string; document: Document | null; text: string; close: () => void; done: () => void }) {
  const [value, set] = useState<Document>(document ?? none)
  const [content, setContent] = useState(text)
  const [file, setFile] = useState<File | null>(null)
  const [made, setMade] = useState<string | null>(document?.documentId ?? null) // also of an attempt whose content was refused
  const change = (more: Partial<Document>) => set({ ...value, ...more })
  const { busy, error, submit } = useSend(async () => {
    const { name, type, summary, sourceType, visibility } = value
    const body = { name: name.trim(), type, summary, sourceType, visibility, ...(type === 'OTHER' ? { otherTypeName: value.otherTypeName } : {}), ...(sourceType === 'URL' ? { sourceUrl: value.sourceUrl } : {}) }
    const id = made ?? (await post<Document>(path(api), body)).documentId
    if (made) await put(path(api, id), body)
    setMade(id)
    const form = new FormData()
    if (isText(value)) form.append('inlineContent', content)
    else if (sourceType === 'FILE' && file) form.append('file', file)
    if ([...form.keys()].length) await call('POST', `${path(api, id)}/content`, { form })
    say(m('saved'))
    done()
  })
  return (
    <form onSubmit={submit}>
      <Text label={m('name')} value={value.name} set={(name) => change({ name })} required maxlength={60} autocomplete="off" />
      <div class="pair">
        <Select label={p('document.type')} value={value.type} set={(type) => change({ type })} choices={types.map((x) => [x, p(`document.${x}` as Key)])} />
        <Select label={p('document.visibility')} value={value.visibility} set={(visibility) => change({ visibility })} choices={visibilities.map((x) => [x, p(`document.${x}` as Key)])} />
      </div>
      {value.type === 'OTHER' && <Text label={p('document.other')} value={value.otherTypeName ?? ''} set={(otherTypeName) => change({ otherTypeName })} required maxlength={60} />}
      <Text label={p('document.summary')} value={value.summary} set={(summary) => change({ summary })} rows={2} />
      <Select label={p('document.source')} value={value.sourceType} set={(sourceType) => change({ sourceType })} choices={sources.map((x) => [x, p(`document.${x}` as Key)])} />
      {isText(value) && <Text label={p('document.content')} rows={12} value={content} set={setContent} class="code" />}
      {value.sourceType === 'URL' && <Text label={p('document.URL')} type="url" value={value.sourceUrl ?? ''} set={(sourceUrl) => change({ sourceUrl })} required placeholder="https://" />}
      {value.sourceType === 'FILE' && (
        <Field label={p('document.file')} hint={value.fileName ? p('document.file.there', value.fileName) : p('document.file.hint')}>
          {(id) => <input {...id} type="file" required={!value.fileName} onChange={(x) => setFile(x.currentTarget.files?.[0] ?? null)} />}
        </Field>
      )}
      <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
    </form>
  )
}

function DocumentDialog({ api, document, close, done }: { api: string; document: Document | null; close: () => void; done: () => void }) {
  const text = useLoad(async () => (document && isText(document) ? (await raw('GET', `${path(api, document.documentId)}/content`)).text() : ''), [document?.documentId])
  return (
    <Dialog title={document ? document.name : p('document.new')} close={close} wide>
      {text.error?.status === 404 // made, and never given content
        ? <DocumentForm api={api} document={document} text="" close={close} done={done} />
        : <Show of={text}>{(now) => <DocumentForm api={api} document={document} text={now} close={close} done={done} />}</Show>}
    </Dialog>
  )
}

async function download(api: string, d: Document) {
  const blob = await (await raw('GET', `${path(api, d.documentId)}/content`)).blob()
  const a = document.createElement('a')
  a.href = URL.createObjectURL(blob)
  a.download = d.fileName ?? d.name
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
}

export function Documents({ e }: { e: Editing }) {
  const api = e.stored.id
  const documents = useLoad(() => get<List<Document>>(path(api), { limit: 1000 }), [api])
  const [editing, setEditing] = useState<Document | 'new' | null>(null)
  const drop = async (d: Document) => {
    if (!await confirm(p('document.delete', d.name), m('undone.never'), m('delete'))) return
    await attempt(() => remove(path(api, d.documentId)), m('deleted'))
    await documents.reload()
  }
  return (
    <Section title={p('tab.documents')} text={p('documents.text')} actions={mayWrite() && <button class="button" onClick={() => setEditing('new')}>{p('document.new')}</button>}>
      <Show of={documents}>
        {({ list }) => list.length === 0
          ? <Empty title={p('documents.none')}><p>{p('documents.none.text')}</p></Empty>
          : <Table stack label={p('tab.documents')} head={[m('name'), p('document.type'), p('document.source'), p('document.visibility'), p('changed'), '']}>
              {list.map((d) => (
                <tr key={d.documentId}>
                  <th scope="row">{d.sourceType === 'URL' && /^https?:/.test(d.sourceUrl ?? '') ? <a href={d.sourceUrl!} target="_blank" rel="noreferrer">{d.name}</a> : d.name}{d.summary && <div class="soft">{d.summary}</div>}</th>
                  <td>{d.type === 'OTHER' && d.otherTypeName ? d.otherTypeName : p(`document.${d.type}` as Key)}</td>
                  <td><Badge>{p(`document.${d.sourceType}` as Key)}</Badge></td>
                  <td>{p(`document.${d.visibility}` as Key)}</td>
                  <td>{date(d.lastUpdatedTime)}</td>
                  <td class="right">
                    {d.sourceType === 'FILE' && d.fileName && <button class="button small" aria-label={`${p('definition.download')}: ${d.name}`} onClick={() => attempt(() => download(api, d))}>{p('definition.download')}</button>}{' '}
                    {mayWrite() && <>
                      <button class="button small" aria-label={`${m('edit')}: ${d.name}`} onClick={() => setEditing(d)}>{m('edit')}</button>{' '}
                      <button class="button small danger" aria-label={`${m('delete')}: ${d.name}`} onClick={() => drop(d)}>{m('delete')}</button>
                    </>}
                  </td>
                </tr>
              ))}
            </Table>}
      </Show>
      {editing && <DocumentDialog api={api} document={editing === 'new' ? null : editing} close={() => { setEditing(null); documents.reload() }} done={() => { setEditing(null); documents.reload() }} />}
    </Section>
  )
}
