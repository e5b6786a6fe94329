// SPDX-License-Identifier: Apache-2.0
// Documents with an ETag: a change says which state of them it was made on, so that nobody's work is overwritten.
import { raw } from '../lib/api'

export interface Tagged<T> {
  value: T
  etag: string
}

async function tagged<T>(r: Response): Promise<Tagged<T>> {
  return { value: await r.json() as T, etag: r.headers.get('ETag') ?? '' }
}

export const getTagged = async <T>(path: string) => tagged<T>(await raw('GET', path))

/** Refusal with status 412: somebody else has changed it. */
export const putTagged = async <T>(path: string, json: unknown, etag: string) =>
  tagged<T>(await raw('PUT', path, { json, headers: etag ? { 'If-Match': etag } : {} }))
