// SPDX-License-Identifier: Apache-2.0
// axe-core looks at the Key Manager's own pages: log-in, a wrong password, consent, the page for devices, log-out. job: url, user,
// windows (of Playwright; the last one sees all pages, others those of a log-in), authorize: path and query of an authorization request that asks for consent each time.
import { browse } from './page.mjs'

await browse(async ({ job, open }) => {
  const found = []
  let looked = 0
  for (const window of job.windows) {
    const w = await open(window)
    const look = (name) => { looked++; return w.look(`${name} ${window.locale}`).catch((e) => found.push(e.message)) }
    const logIn = async (password) => {
      await w.page.fill('input[name=username]', job.user.name)
      await w.page.fill('input[type=password]', password)
      await Promise.all([w.page.waitForNavigation(), w.page.press('input[type=password]', 'Enter')])
    }
    await w.visit(job.authorize)
    await look('log-in')
    await logIn('wrong')
    await w.page.locator('.error').waitFor()
    await look('wrong password')
    await logIn(job.user.password)
    await w.page.locator('button[value=deny]').waitFor()
    await look('consent')
    if (window !== job.windows.at(-1)) continue
    await w.visit('/oauth2/device')
    await look('device')
    await w.visit('/oauth2/logout')
    await look('log-out')
    await w.visit('/oauth2/authorize?client_id=none')
    await look('error')
  }
  return { looked, found }
})
