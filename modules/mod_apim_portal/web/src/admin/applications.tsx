// SPDX-License-Identifier: Apache-2.0
// Everybody's applications, and giving one to another user.
import { useState } from 'preact/hooks'
import { ADMIN, call, get, type List } from '../lib/api'
import { place } from '../lib/router'
import { Dialog, Empty, enc, FormEnd, Pager, pageOffset, pageSize, say, Search, Show, State, Table, Text, Title, useLoad, useSend } from '../lib/ui'
import { m } from '../manage/words'
import { a } from './words'

interface Application {
  applicationId: string
  name: string
  owner: string
  status: string
}

function OwnerDialog({ of, close, done }: { of: Application; close: () => void; done: () => void }) {
  const [owner, setOwner] = useState('')
  const { busy, error, submit } = useSend(async () => {
    await call('POST', `${ADMIN}/applications/${enc(of.applicationId)}/change-owner`, { query: { owner: owner.trim() } })
    say(a('owner.changed', of.name, owner.trim()))
    done()
  })
  return (
    <Dialog title={a('owner.title', of.name)} close={close}>
      <form onSubmit={submit}>
        <p>{a('owner.text', of.owner)}</p>
        <Text label={a('owner.new')} value={owner} set={setOwner} required autocomplete="off" autocapitalize="none" spellcheck={false} />
        <FormEnd busy={busy} action={a('owner.change')} cancel={close} error={error} />
      </form>
    </Dialog>
  )
}

export function Applications() {
  const q = place.value.query.get('q') ?? ''
  const offset = pageOffset()
  const list = useLoad(() => get<List<Application>>(`${ADMIN}/applications`, { name: q, limit: pageSize, offset }), [q, offset])
  const [moving, setMoving] = useState<Application | null>(null)
  return (
    <>
      <Title text={a('applications')} sub={a('applications.sub')} />
      <div class="toolbar"><Search label={a('applications.search')} /></div>
      <Show of={list} rows={5}>
        {(data) => data.list.length === 0
          ? <Empty title={q ? a('applications.none.fit') : a('applications.none')} />
          : <>
              <Table stack label={a('applications')} head={[m('name'), a('owner'), m('state'), '']}>
                {data.list.map((x) => (
                  <tr key={x.applicationId}>
                    <th scope="row">{x.name}</th>
                    <td data-label={a('owner')}>{x.owner}</td>
                    <td><State of={x.status} /></td>
                    <td class="right"><button class="button small" aria-label={`${a('owner.change')}: ${x.name}`} onClick={() => setMoving(x)}>{a('owner.change')}</button></td>
                  </tr>
                ))}
              </Table>
              <Pager of={data} />
            </>}
      </Show>
      {moving && <OwnerDialog of={moving} close={() => setMoving(null)} done={() => { setMoving(null); list.reload() }} />}
    </>
  )
}
