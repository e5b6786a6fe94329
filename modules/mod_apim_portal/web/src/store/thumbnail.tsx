// SPDX-License-Identifier: Apache-2.0
// The picture of an API, or a tile with its letters.
import { useEffect, useState } from 'preact/hooks'
import { raw, session, STORE } from '../lib/api'
import { Tile } from '../lib/ui'
import type { ApiItem } from './types'

/** A picture that is not for everybody needs the session, which an <img> does not carry. */
async function asData(path: string): Promise<string> {
  const blob = await (await raw('GET', path)).blob()
  return new Promise((done, fail) => {
    const reader = new FileReader()
    reader.onload = () => done(String(reader.result))
    reader.onerror = fail
    reader.readAsDataURL(blob)
  })
}

export function Thumbnail({ of, large }: { of: Pick<ApiItem, 'id' | 'name' | 'hasThumbnail'>; large?: boolean }) {
  const path = `${STORE}/apis/${of.id}/thumbnail`
  const [source, setSource] = useState(path)
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    setSource(path)
    setBroken(false)
  }, [path])
  if (!of.hasThumbnail || broken) return <Tile name={of.name} large={large} />
  const retry = () => {
    if (source !== path || !session.value!.username) setBroken(true)
    else asData(path).then(setSource, () => setBroken(true))
  }
  return <img class={large ? 'tile large picture' : 'tile picture'} src={source} alt="" loading="lazy" width={large ? 60 : 44} height={large ? 60 : 44} onError={retry} />
}
