// SPDX-License-Identifier: Apache-2.0
// The operations of a definition; the details of one are drawn when it is opened, so that a long list stays light.
import { useState } from 'preact/hooks'
import { Markdown } from '../lib/markdown'
import { byTag, type Operation } from '../lib/openapi'
import { Link } from '../lib/router'
import { Badge, Empty, Verb } from '../lib/ui'
import { baseUrl, type Api } from './types'
import { t } from './words'

const STEP = 100

export function Details({ op }: { op: Operation }) {
  return (
    <div class="details">
      {op.description && <Markdown text={op.description} />}
      {op.parameters.length > 0 && <>
        <h3>{t('parameters')}</h3>
        <dl class="facts">
          {op.parameters.map((p) => (
            <>
              <dt><code>{p.name}</code>{p.required && <span class="required"> {t('required')}</span>}</dt>
              <dd><span class="soft">{p.in} · {p.type}</span> {p.description}</dd>
            </>
          ))}
        </dl>
      </>}
      {op.body && <>
        <h3>{t('body')} <span class="soft">{op.body.type}</span></h3>
        <pre tabIndex={0} aria-label={t('body')}>{op.body.example}</pre>
      </>}
      {op.responses.length > 0 && <>
        <h3>{t('responses')}</h3>
        <dl class="facts">{op.responses.map((r) => <><dt><code>{r.status}</code></dt><dd>{r.description}</dd></>)}</dl>
      </>}
      {op.scopes.length > 0 && <p>{t('scopes')}: {op.scopes.map((s) => <code key={s}>{s} </code>)}</p>}
    </div>
  )
}

function Row({ op, tryHref }: { op: Operation; tryHref?: string }) {
  const [open, set] = useState(false)
  return (
    <details class="operation" onToggle={(e) => set(e.currentTarget.open)}>
      <summary>
        <Verb verb={op.verb} />
        <code class={op.deprecated ? 'gone' : ''}>{op.path}</code>
        <span class="soft">{op.summary}</span>
        {op.open && <Badge>{t('no.token.needed')}</Badge>}
      </summary>
      {open && <><Details op={op} />{tryHref && <p><Link class="button small" href={tryHref}>{t('try')}</Link></p>}</>}
    </details>
  )
}

export function Operations({ api, list }: { api: Api; list: Operation[] }) {
  const [filter, setFilter] = useState('')
  const [shown, setShown] = useState(STEP)
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const found = list.filter((o) => words.every((w) => `${o.verb} ${o.path} ${o.summary} ${o.tag}`.toLowerCase().includes(w)))
  const groups = byTag(found.slice(0, shown))
  return (
    <>
      {list.length > 8 && (
        <div class="toolbar">
          <form role="search" class="search" onSubmit={(e) => e.preventDefault()}>
            <input type="search" aria-label={t('operations.filter')} placeholder={t('operations.filter')} value={filter} onInput={(e) => setFilter(e.currentTarget.value)} />
          </form>
        </div>
      )}
      {found.length === 0 && <Empty title={t('search.none')} />}
      {[...groups].map(([tag, ops]) => (
        <section key={tag} class="card tight">
          {tag && <h2>{tag}</h2>}
          {ops.map((o) => <Row key={o.id} op={o} tryHref={baseUrl(api) && `/store/apis/${api.id}/try?operation=${encodeURIComponent(o.id)}`} />)}
        </section>
      ))}
      {found.length > shown && <p><button class="button" onClick={() => setShown(shown + STEP)}>{t('more', found.length - shown)}</button></p>}
    </>
  )
}
