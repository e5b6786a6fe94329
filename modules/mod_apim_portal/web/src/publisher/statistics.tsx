// SPDX-License-Identifier: Apache-2.0
// How an API is used: calls over time, how they ended, who makes them.
import { get, PUBLISHER } from '../lib/api'
import { dateTime, number } from '../lib/i18n'
import { place, setQuery } from '../lib/router'
import { Empty, Select, Show, Table, useLoad } from '../lib/ui'
import { Section, useEvery } from '../manage/parts'
import type { Editing } from './draft'
import { p, type Key } from './words'

interface Sums {
  calls: number
  failed: number
  refused: number
  throttled: number
  averageMs: number
  backendAverageMs: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
  bytesOut: number
}
interface Item extends Sums {
  key: string
  name: string
}
interface Usage {
  period: string
  from: string
  to: string
  total: Sums
  list: Item[]
}

const MINUTE = 60_000
const spans: Record<string, { length: number; period: string; step: number }> = {
  hour: { length: 60 * MINUTE, period: 'minute', step: MINUTE },
  day: { length: 24 * 60 * MINUTE, period: 'hour', step: 60 * MINUTE },
  month: { length: 30 * 24 * 60 * MINUTE, period: 'day', step: 24 * 60 * MINUTE },
}
const dimensions = ['resource', 'application', 'code', 'node'] as const

const ms = (n: number) => (n >= 1000 ? `${number(Math.round(n / 100) / 10)} s` : `${number(Math.round(n * 10) / 10)} ms`)

/** A number above 0 that is easy to read on an axis, at least n. */
function round(n: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(n, 2)))
  return [1, 2, 3, 4, 6, 8, 10].map((x) => x * unit).find((x) => x >= n) ?? n
}

const W = 1120
const H = 220
const LEFT = 48

function Chart({ data, span }: { data: Usage; span: string }) {
  const { step } = spans[span]
  const first = new Date(data.from).getTime()
  const count = Math.max(1, Math.ceil((new Date(data.to).getTime() - first) / step))
  const top = round(Math.max(1, ...data.list.map((x) => x.calls)))
  const wide = (W - LEFT) / count
  const y = (n: number) => H - (n / top) * (H - 12)
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${W} ${H + 24}`} role="img" aria-label={p('stats.chart', number(data.total.calls), number(data.total.refused), number(data.total.failed))}>
        {[0, top / 2, top].map((n) => (
          <g key={n}>
            <line x1={LEFT} x2={W} y1={y(n)} y2={y(n)} />
            <text x={LEFT - 6} y={y(n)} dy="0.32em" text-anchor="end">{number(n)}</text>
          </g>
        ))}
        {data.list.map((x) => {
          const at = LEFT + Math.floor((new Date(x.key).getTime() - first) / step) * wide
          const good = Math.max(0, x.calls - x.refused - x.failed)
          const parts: [string, number, number][] = [['ok', 0, good], ['refused', good, x.refused], ['failed', good + x.refused, x.failed]]
          return (
            <g key={x.key}>
              <title>{`${dateTime(x.key)}: ${number(x.calls)}`}</title>
              {parts.map(([kind, from, n]) => n > 0 &&
                <rect key={kind} class={kind} x={at + wide * 0.1} width={Math.max(1, wide * 0.8)} y={y(from + n)} height={Math.max(1, y(from) - y(from + n))} />)}
            </g>
          )
        })}
        <text x={LEFT} y={H + 18}>{dateTime(data.from)}</text>
        <text x={W} y={H + 18} text-anchor="end">{dateTime(data.to)}</text>
      </svg>
      <figcaption>
        <span class="key ok">{p('stats.ok')}</span>
        <span class="key refused">{p('stats.refused')}</span>
        <span class="key failed">{p('stats.failed')}</span>
      </figcaption>
    </figure>
  )
}

function Totals({ of }: { of: Sums }) {
  const facts: [Key, string][] = [
    ['stats.calls', number(of.calls)], ['stats.refused', number(of.refused)], ['stats.throttled', number(of.throttled)], ['stats.failed', number(of.failed)],
    ['stats.p50', ms(of.p50Ms)], ['stats.p95', ms(of.p95Ms)], ['stats.p99', ms(of.p99Ms)], ['stats.backend', ms(of.backendAverageMs)],
  ]
  return <dl class="totals">{facts.map(([label, value]) => <div key={label}><dt>{p(label)}</dt><dd>{value}</dd></div>)}</dl>
}

function name(by: string, x: Item): string {
  if (by === 'application') return x.name || (x.key ? p('stats.gone') : p('stats.anonymous'))
  if (by === 'code') return x.key === '0' ? p('stats.not.refused') : x.key
  return x.key || '–'
}

export function Statistics({ e }: { e: Editing }) {
  const span = place.value.query.get('span') ?? 'day'
  const by = place.value.query.get('by') ?? 'resource'
  const ask = (dimension: string) => get<Usage>(`${PUBLISHER}/usage`, {
    apiId: e.stored.id, by: dimension, period: (spans[span] ?? spans.day).period, from: new Date(Date.now() - (spans[span] ?? spans.day).length).toISOString(),
  })
  const times = useLoad(() => ask('time'), [e.stored.id, span])
  const parts = useLoad(() => ask(by), [e.stored.id, span, by])
  useEvery(10_000, () => { times.reload(); parts.reload() })
  return (
    <>
      <Section title={p('tab.statistics')} text={p('stats.text')}>
        <div class="form few">
          <Select label={p('stats.span')} value={span in spans ? span : 'day'} set={(v) => setQuery({ span: v })}
            choices={[['hour', p('stats.hour')], ['day', p('stats.day')], ['month', p('stats.month')]]} />
        </div>
        <Show of={times} rows={5}>
          {(data) => data.total.calls === 0
            ? <Empty title={p('stats.none')}><p>{p('stats.none.text')}</p></Empty>
            : <><Totals of={data.total} /><Chart data={data} span={span in spans ? span : 'day'} /></>}
        </Show>
      </Section>
      <Show of={parts}>
        {(data) => data.total.calls > 0 && (
          <Section title={p('stats.who')}>
            <div class="form few">
              <Select label={p('stats.by')} value={by} set={(v) => setQuery({ by: v })} choices={dimensions.map((d) => [d, p(`stats.by.${d}`)] as [string, string])} />
            </div>
            <Table label={p('stats.who')} head={[p(`stats.by.${by}` as 'stats.by.resource'), p('stats.calls'), p('stats.refused'), p('stats.failed'), p('stats.p95')]}>
              {data.list.slice(0, 50).map((x) => (
                <tr key={x.key}>
                  <th scope="row">{name(by, x)}</th>
                  <td>{number(x.calls)}</td><td>{number(x.refused)}</td><td>{number(x.failed)}</td><td>{ms(x.p95Ms)}</td>
                </tr>
              ))}
            </Table>
          </Section>
        )}
      </Show>
    </>
  )
}
