// SPDX-License-Identifier: Apache-2.0
// The part of Markdown that people write in descriptions and documents, drawn as elements: whatever a text holds, nothing of
// it is ever taken for HTML, and links lead to web pages and mailboxes only.
import type { ComponentChildren } from 'preact'

// Every repetition is bounded: a text that is made to keep a regular expression busy does not.
const INLINE = /(`{1,3})([^\n]{1,500}?)\1(?!`)|\*\*([^\n]{1,1000}?)\*\*|\*([^\s*][^*\n]{0,500}?)\*|\b_([^\s_][^_\n]{0,500}?)_\b|\[([^\]\n]{1,300})\]\(([^()\s]{1,1000}(?:\([^()\s]{0,100}\)[^()\s]{0,200})?)\)|<?(https?:\/\/[^\s<>()]{0,1000}[^\s<>().,;:!?'"])>?/
const MAX_INLINE = 20_000
const LINK = /^(https?:\/\/|mailto:)/i

function Outside({ href, children }: { href: string; children: ComponentChildren }) {
  return LINK.test(href) ? <a href={href} rel="noopener noreferrer" target="_blank">{children}</a> : <>{children}</>
}

function inline(text: string, depth = 0): ComponentChildren[] {
  if (text.length > MAX_INLINE) return [text]
  const out: ComponentChildren[] = []
  let rest = text
  for (let m = INLINE.exec(rest); m && depth < 6; m = INLINE.exec(rest)) {
    if (m.index) out.push(rest.slice(0, m.index))
    const [all, , code, strong, star, under, label, href, url] = m
    if (code !== undefined) out.push(<code>{code.trim()}</code>)
    else if (strong !== undefined) out.push(<strong>{inline(strong, depth + 1)}</strong>)
    else if (star !== undefined || under !== undefined) out.push(<em>{inline(star ?? under, depth + 1)}</em>)
    else if (label !== undefined) out.push(<Outside href={href}>{inline(label, depth + 1)}</Outside>)
    else out.push(<Outside href={url}>{url}</Outside>)
    rest = rest.slice(m.index + all.length)
  }
  if (rest) out.push(rest)
  return out
}

const BULLET = /^\s{0,3}[-*+]\s+/
const NUMBER = /^\s{0,3}\d{1,9}[.)]\s+/
const HEAD = /^\s{0,3}(#{1,6})\s+(\S.*)$/
const FENCE = /^\s{0,3}(```+|~~~+)/
const QUOTE = /^\s{0,3}>\s?/
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/
const special = (l: string) => !l.trim() || [BULLET, NUMBER, HEAD, FENCE, QUOTE, RULE].some((r) => r.test(l))

/** Headings are drawn below those of the page: # becomes h3. */
function Heading({ level, children }: { level: number; children: ComponentChildren }) {
  return level === 1 ? <h3>{children}</h3> : level === 2 ? <h4>{children}</h4> : <h5>{children}</h5>
}

function blocks(lines: string[], depth = 0): ComponentChildren[] {
  const out: ComponentChildren[] = []
  let lastLevel = 0
  let i = 0
  /** Takes lines while they fit. */
  const take = (fits: (l: string) => boolean) => {
    const from = i
    while (i < lines.length && fits(lines[i])) i++
    return lines.slice(from, i)
  }
  const list = (mark: RegExp) => {
    const items: string[][] = []
    while (i < lines.length && mark.test(lines[i])) {
      const first = lines[i++].replace(mark, '')
      items.push([first, ...take((l) => /^\s+\S/.test(l) && !mark.test(l)).map((l) => l.trim())])
    }
    return items.map((x, n) => <li key={n}>{inline(x.join('\n'))}</li>)
  }
  while (i < lines.length) {
    const line = lines[i]
    const fence = FENCE.exec(line)
    const head = HEAD.exec(line)
    if (!line.trim()) i++
    else if (fence) {
      i++
      const code = take((l) => !l.trim().startsWith(fence[1]))
      i++
      out.push(<pre tabIndex={0}>{code.join('\n')}</pre>)
    } else if (head) {
      i++
      lastLevel = Math.min(head[1].length, lastLevel + 1)
      out.push(<Heading level={lastLevel}>{inline(head[2].trim().replace(/\s#{1,20}$/, ''))}</Heading>)
    } else if (RULE.test(line)) {
      i++
      out.push(<hr />)
    } else if (QUOTE.test(line) && depth < 4) out.push(<blockquote>{blocks(take((l) => QUOTE.test(l)).map((l) => l.replace(QUOTE, '')), depth + 1)}</blockquote>)
    else if (BULLET.test(line)) out.push(<ul>{list(BULLET)}</ul>)
    else if (NUMBER.test(line)) out.push(<ol>{list(NUMBER)}</ol>)
    else {
      i++
      out.push(<p>{inline([line, ...take((l) => !special(l))].join('\n').replace(/^\s+/gm, ''))}</p>)
    }
  }
  return out
}

const MAX = 200_000

export function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(text.slice(0, MAX).replace(/\r\n?/g, '\n').split('\n'))}</div>
}
