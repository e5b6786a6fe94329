// SPDX-License-Identifier: Apache-2.0
// Categories that publishers choose for APIs, and that the Store groups them by.
import { useState } from 'preact/hooks'
import { ADMIN, get, post, put, remove, type List } from '../lib/api'
import { number } from '../lib/i18n'
import { attempt, confirm, Dialog, Empty, enc, FormEnd, say, Show, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { a } from './words'

interface Category {
  id: string
  name: string
  description: string
  numberOfAPIs: number
}

function CategoryDialog({ category, close, done }: { category: Category | null; close: () => void; done: () => void }) {
  const [name, setName] = useState(category?.name ?? '')
  const [description, setDescription] = useState(category?.description ?? '')
  const { busy, error, submit } = useSend(async () => {
    const body = { name: name.trim(), description }
    if (category) await put(`${ADMIN}/api-categories/${enc(category.id)}`, body)
    else await post(`${ADMIN}/api-categories`, body)
    say(m('saved'))
    done()
  })
  return (
    <Dialog title={category ? category.name : a('category.new')} close={close}>
      <form onSubmit={submit}>
        <Text label={m('name')} value={name} set={setName} required autocomplete="off" hint={category?.numberOfAPIs ? a('category.used') : undefined} />
        <Text label={m('description')} value={description} set={setDescription} />
        <FormEnd busy={busy} action={m('save')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function Categories() {
  const list = useLoad(() => get<List<Category>>(`${ADMIN}/api-categories`, { limit: 1000 }), [])
  const [editing, setEditing] = useState<Category | 'new' | null>(null)
  const drop = async (c: Category) => {
    if (!await confirm(a('category.delete', c.name), m('undone.never'), m('delete'))) return
    await attempt(() => remove(`${ADMIN}/api-categories/${enc(c.id)}`), m('deleted'))
    await list.reload()
  }
  return (
    <>
      <Title text={a('categories')} sub={a('categories.sub')}>
        <button class="button primary" onClick={() => setEditing('new')}>{a('category.new')}</button>
      </Title>
      <Show of={list}>
        {(data) => data.list.length === 0
          ? <Empty title={a('categories.none')}><p>{a('categories.none.text')}</p></Empty>
          : <Table stack label={a('categories')} head={[m('name'), m('description'), a('apis'), '']}>
              {data.list.map((c) => (
                <tr key={c.id}>
                  <th scope="row">{c.name}</th>
                  <td>{c.description}</td>
                  <td data-label={a('apis')}>{number(c.numberOfAPIs)}</td>
                  <td class="right">
                    <button class="button small" aria-label={`${m('edit')}: ${c.name}`} onClick={() => setEditing(c)}>{m('edit')}</button>{' '}
                    <button class="button small danger" aria-label={`${m('delete')}: ${c.name}`} onClick={() => drop(c)}>{m('delete')}</button>
                  </td>
                </tr>
              ))}
            </Table>}
      </Show>
      {editing && <CategoryDialog category={editing === 'new' ? null : editing} close={() => setEditing(null)} done={() => { setEditing(null); list.reload() }} />}
    </>
  )
}
