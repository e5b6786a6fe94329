// SPDX-License-Identifier: Apache-2.0
// What the pages read of an OpenAPI document (2.0 or 3.x). References are followed inside the document only.
type Json = any // eslint-disable-line -- a document that anybody may have written

export interface Parameter {
  name: string
  in: string
  required: boolean
  description: string
  type: string
  example: string
  choices: string[]
}

export interface Operation {
  id: string
  verb: string
  path: string
  summary: string
  description: string
  tag: string
  deprecated: boolean
  parameters: Parameter[]
  body?: { type: string; required: boolean; example: string }
  responses: { status: string; description: string }[]
  scopes: string[]
  open: boolean
}

const verbs = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options']

function follow(doc: Json, node: Json, depth = 0): Json {
  if (!node || typeof node.$ref !== 'string' || depth > 20) return node ?? {}
  if (!node.$ref.startsWith('#/')) return {}
  const target = node.$ref.slice(2).split('/').reduce((o: Json, k: string) => o?.[decodeURIComponent(k).replace(/~1/g, '/').replace(/~0/g, '~')], doc)
  return follow(doc, target, depth + 1)
}

const typeOf = (s: Json): string => (Array.isArray(s?.type) ? s.type.find((x: string) => x !== 'null') : s?.type) ?? (s?.properties ? 'object' : s?.items ? 'array' : 'string')

/** A value that fits a schema, as far as one can tell. */
export function sample(doc: Json, schema: Json, depth = 0): unknown {
  const s = follow(doc, schema)
  if (depth > 6) return null
  if (s.example !== undefined) return s.example
  if (Array.isArray(s.examples) && s.examples.length) return s.examples[0]
  if (s.default !== undefined) return s.default
  if (Array.isArray(s.enum) && s.enum.length) return s.enum[0]
  const all = s.allOf
  if (Array.isArray(all)) return Object.assign({}, ...all.map((x: Json) => sample(doc, x, depth + 1)).filter((x: unknown) => x && typeof x === 'object'))
  const one = s.oneOf?.[0] ?? s.anyOf?.[0]
  if (one) return sample(doc, one, depth + 1)
  switch (typeOf(s)) {
    case 'object':
      return Object.fromEntries(Object.entries(s.properties ?? {}).slice(0, 40).filter(([, v]) => !(v as Json).readOnly).map(([k, v]) => [k, sample(doc, v, depth + 1)]))
    case 'array':
      return [sample(doc, s.items ?? {}, depth + 1)]
    case 'integer':
    case 'number':
      return s.minimum ?? 0
    case 'boolean':
      return true
    default:
      return s.format === 'date' ? '2026-01-31' : s.format === 'date-time' ? '2026-01-31T12:00:00Z' : 'text'
  }
}

const text = (v: unknown) => (v === undefined || v === null ? '' : typeof v === 'string' ? v : JSON.stringify(v))

function parameter(doc: Json, raw: Json): Parameter {
  const p = follow(doc, raw)
  const schema = follow(doc, p.schema ?? p)
  return {
    name: text(p.name), in: text(p.in), required: !!p.required || p.in === 'path', description: text(p.description),
    type: typeOf(schema), example: text(p.example ?? schema.example ?? schema.default),
    choices: (schema.enum ?? []).map(text),
  }
}

function bodyOf(doc: Json, op: Json, raw: Json[]): Operation['body'] {
  const two = raw.find((p) => p.in === 'body')
  if (two) return { type: 'application/json', required: !!two.required, example: JSON.stringify(sample(doc, two.schema), null, 2) }
  const b = op.requestBody && follow(doc, op.requestBody)
  if (!b?.content) return undefined
  const types = Object.keys(b.content)
  const type = types.find((x) => x.includes('json')) ?? types[0]
  if (!type) return undefined
  const media = b.content[type]
  const named = Object.values(media.examples ?? {})[0]
  const value = media.example ?? follow(doc, named).value ?? sample(doc, media.schema ?? {})
  return { type, required: !!b.required, example: typeof value === 'string' ? value : JSON.stringify(value, null, 2) }
}

export function operations(doc: Json): Operation[] {
  const found: Operation[] = []
  for (const [path, rawItem] of Object.entries(doc?.paths ?? {})) {
    const item = follow(doc, rawItem)
    for (const verb of verbs) {
      const op = item[verb]
      if (!op) continue
      const raw = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((p: Json) => follow(doc, p))
      const byName = new Map(raw.map((p) => [`${p.in} ${p.name}`, p]))
      found.push({
        id: `${verb} ${path}`, verb: verb.toUpperCase(), path, summary: text(op.summary), description: text(op.description),
        tag: text(op.tags?.[0]), deprecated: !!op.deprecated,
        parameters: [...byName.values()].filter((p) => p.in === 'path' || p.in === 'query' || p.in === 'header').map((p) => parameter(doc, p)),
        body: bodyOf(doc, op, raw),
        responses: Object.entries(op.responses ?? {}).map(([status, r]) => ({ status, description: text(follow(doc, r).description) })),
        scopes: [...new Set(((op.security ?? []) as Json[]).flatMap((s) => Object.values(s).flat() as string[]))],
        open: op['x-auth-type'] === 'None',
      })
    }
  }
  return found
}

export const byTag = (list: Operation[]) => list.reduce((m, o) => m.set(o.tag, [...(m.get(o.tag) ?? []), o]), new Map<string, Operation[]>())
