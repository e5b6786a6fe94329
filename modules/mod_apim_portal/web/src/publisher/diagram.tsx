// SPDX-License-Identifier: Apache-2.0
// The life cycle as a picture: where an API is, and where it can go from there.
import { stateName } from '../manage/words'
import { p } from './words'

export interface Transition {
  event: string
  targetState: string
}

const W = 132
const H = 46
const at: Record<string, [x: number, y: number]> = {
  CREATED: [8, 12], PROTOTYPED: [300, 12], PUBLISHED: [154, 122], BLOCKED: [300, 232], DEPRECATED: [154, 322], RETIRED: [8, 232],
}
const ways: [string, string][] = [
  ['CREATED', 'PUBLISHED'], ['CREATED', 'PROTOTYPED'], ['PROTOTYPED', 'PUBLISHED'], ['PROTOTYPED', 'CREATED'], ['PUBLISHED', 'CREATED'],
  ['PUBLISHED', 'PROTOTYPED'], ['PUBLISHED', 'BLOCKED'], ['PUBLISHED', 'DEPRECATED'], ['BLOCKED', 'PUBLISHED'], ['BLOCKED', 'DEPRECATED'], ['DEPRECATED', 'RETIRED'],
]

/** From the edge of one box to the edge of another; ways in both directions run side by side. */
function line(from: string, to: string) {
  const [ax, ay] = at[from].map((v, i) => v + [W, H][i] / 2)
  const [bx, by] = at[to].map((v, i) => v + [W, H][i] / 2)
  const dx = bx - ax
  const dy = by - ay
  const far = Math.hypot(dx, dy)
  const both = ways.some(([f, t]) => f === to && t === from)
  const side = both ? 7 : 0
  const [ox, oy] = [(-dy / far) * side, (dx / far) * side]
  // How far along the line a box reaches: that of its beginning (1), or of its end, looked at from there (-1).
  const cut = (way: 1 | -1) => Math.min(...([[dx, ox, W], [dy, oy, H]] as const).map(([d, o, size]) =>
    Math.abs(d) < 0.1 ? 9 : (size / 2 - Math.sign(d * way) * o) / Math.abs(d)))
  const [s, e] = [cut(1) + 3 / far, 1 - cut(-1) - 8 / far]
  return { x1: ax + dx * s + ox, y1: ay + dy * s + oy, x2: ax + dx * e + ox, y2: ay + dy * e + oy }
}

export function Diagram({ state, transitions, act }: { state: string; transitions: Transition[]; act?: (t: Transition) => void }) {
  const way = (to: string) => transitions.find((x) => x.targetState === to && to !== state)
  return (
    <svg class="diagram" viewBox="0 0 440 380" role="group" aria-label={p('diagram')}>
      <defs>
        <marker id="tip" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" /></marker>
        <marker id="tip-on" class="on" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" /></marker>
      </defs>
      {ways.map(([from, to]) => {
        const on = from === state && !!way(to)
        return <line key={from + to} class={on ? 'on' : ''} {...line(from, to)} marker-end={on ? 'url(#tip-on)' : 'url(#tip)'} />
      })}
      {Object.entries(at).map(([name, [x, y]]) => {
        const next = act && way(name)
        const here = name === state
        const box = <><rect x={x} y={y} width={W} height={H} rx="10" /><text x={x + W / 2} y={y + H / 2} dy="0.35em" text-anchor="middle">{stateName(name)}</text></>
        return next
          ? <g key={name} class="next" role="button" tabindex={0} aria-label={`${p(`action.${next.event}` as 'action.Publish')} → ${stateName(name)}`}
              onClick={() => act(next)} onKeyDown={(k) => { if (k.key === 'Enter' || k.key === ' ') { k.preventDefault(); act(next) } }}>{box}</g>
          : <g key={name} class={here ? 'here' : ''}>{here && <title>{p('diagram.here')}</title>}{box}</g>
      })}
    </svg>
  )
}
