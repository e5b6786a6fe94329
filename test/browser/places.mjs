// SPDX-License-Identifier: Apache-2.0
// axe-core looks at every place of a list, each opened by its address. job: url, user, places, window (of Playwright).
import { browse } from './page.mjs'

await browse(async ({ job, open }) => {
  const w = await open(job.window)
  const found = []
  await w.logIn(job.user, new URL(job.places[0], job.url).pathname)
  for (const place of job.places) {
    await w.visit(place)
    await w.look(place).catch((e) => found.push(e.message))
  }
  return { looked: job.places.length, found }
})
