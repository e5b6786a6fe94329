// SPDX-License-Identifier: Apache-2.0
// A person at Debian's Chromium: logs in, and has axe-core look at what is shown. A test script is `browse(async (b) => …)`, run by
// pytest as `node script.mjs <job as JSON>`; what the function returns is printed as JSON. Whatever a page reports (an error,
// something the Content-Security-Policy refused) fails the test.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const npm = createRequire(new URL('../npm/package.json', import.meta.url))
const { chromium } = npm('playwright-core')
const axe = readFileSync(npm.resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const WAIT = 15_000

/** What axe-core finds, and whether the page is wider than its window. */
async function axeFinds(page) {
  await page.evaluate(axe)
  const found = await page.evaluate(async (rules) => (await globalThis.axe.run(document, { runOnly: rules, resultTypes: ['violations'], iframes: false })).violations
    .map((v) => `${v.id} (${v.help}): ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`), RULES)
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  return wider > 0 ? [...found, `the page is ${wider} px wider than the window`] : found
}

/** Opens a window: { page, url(place), logIn(user, place), look(name), visit(place), quiet() }. */
async function open(browser, job, more = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en', reducedMotion: 'reduce', ...more })
  const page = await context.newPage()
  page.setDefaultTimeout(WAIT)
  const said = []
  page.on('pageerror', (e) => said.push(`error in a page: ${e.message}`))
  page.on('console', (m) => { if (/Content.Security|Trusted|Refused to/i.test(m.text())) said.push(m.text()) })
  const url = (place) => job.url + place
  const settled = async () => {
    await page.locator('main').waitFor()
    await page.waitForFunction(() => !document.querySelector('.skeleton, [aria-busy="true"]'))
  }
  return {
    page, url, settled,
    async visit(place) {
      await page.goto(url(place), { waitUntil: 'load' })
      await settled()
    },
    async logIn(user, place) {
      await page.goto(url(`/api/am/portal/v1/login?return=${encodeURIComponent(place)}`))
      await page.fill('input[name=username]', user.name)
      await page.fill('input[type=password]', user.password)
      await page.press('input[type=password]', 'Enter')
      await page.waitForURL((at) => at.pathname === place)
      await settled()
    },
    /** Throws if axe-core finds anything, or if the page is wider than its window. */
    async look(name) {
      let found = []
      for (let turn = 0; turn < 3; turn++) { // what is read again is dimmed meanwhile: that is looked at once it has come
        await page.waitForFunction(() => !document.querySelector('.stale'))
        found = await axeFinds(page)
        if (!found.length) return
        await page.waitForTimeout(300)
      }
      throw new Error(`${name}: ${found.join('\n')}`)
    },
    quiet() {
      if (said.length) throw new Error(said.join('\n'))
    },
  }
}

export async function browse(work) {
  const job = JSON.parse(process.argv[2])
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
  if (!executablePath) throw new Error('there is no Chromium: apt-get install chromium')
  const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
  const windows = []
  let failed
  try {
    const answer = await work({ job, open: async (more) => {
      windows.push(await open(browser, job, more))
      return windows.at(-1)
    } })
    windows.forEach((w) => w.quiet())
    console.log(JSON.stringify(answer ?? {}))
  } catch (e) {
    failed = e
    const last = windows.at(-1)
    console.error(e.stack)
    console.error(`at ${last?.page.url()}: ${(await last?.page.locator('body').innerText().catch(() => ''))?.slice(0, 1500)}`)
    if (job.shots) await last?.page.screenshot({ path: `${job.shots}/failed.png`, fullPage: true }).catch(() => undefined)
  } finally {
    await browser.close()
  }
  if (failed) process.exit(1)
}
