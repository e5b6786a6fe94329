// SPDX-License-Identifier: Apache-2.0
// A publisher makes an API, has it served and publishes it, while somebody else changes it too. job: url, user, backend, name.
import { readFileSync } from 'node:fs'
import { browse } from './page.mjs'

await browse(async ({ job, open }) => {
  const w = await open()
  const { page } = w
  const button = (name) => page.getByRole('button', { name, exact: true })
  const tab = (name) => page.getByRole('navigation', { name: job.name }).getByRole('link', { name, exact: true }).click()
  const saved = () => page.locator('.savebar').waitFor({ state: 'detached' })
  const dialog = page.getByRole('dialog')

  await w.logIn(job.user, '/publisher/')
  await page.getByRole('link', { name: 'Create API' }).first().click()
  await page.getByRole('link', { name: 'Design from scratch' }).click()
  await page.getByLabel('Name').fill(job.name)
  await page.getByLabel('Context').fill(`/${job.name.toLowerCase()}`)
  await button('Create API').click()
  await page.getByText('One thing is missing.').waitFor()
  const id = new URL(page.url()).pathname.split('/')[3]

  // The server's words for what is wrong, and it is mended.
  await tab('Endpoints')
  await page.getByLabel('Endpoint URL').first().fill('nonsense')
  await button('Save').click()
  await page.getByRole('alert').getByText('must be a http or https URL').first().waitFor()
  await w.look('refused')
  await page.getByLabel('Endpoint URL').first().fill(job.backend)
  await button('Save').click()
  await saved()

  // Several back ends, and one with stand-ins: kept when the page is read again.
  await page.getByLabel('Which of them get the calls').selectOption('load_balance')
  await button('Add URL').first().click()
  await page.getByLabel('Endpoint URL 2').first().fill(`${job.backend}/second`)
  await button('Save').click()
  await saved()
  await page.reload()
  if (await page.getByLabel('Endpoint URL 2').first().inputValue() !== `${job.backend}/second`) throw new Error('the second endpoint is lost')
  await page.getByLabel('Which of them get the calls').selectOption('http')
  await button('Save').click()
  await saved()

  // A resource without a token; meanwhile somebody else changes the description.
  await tab('Resources')
  await page.getByLabel('Path').fill('/open/{id}')
  await button('Add resource').click()
  await page.locator('details.operation', { hasText: '/open/{id}' }).locator('summary').click()
  await page.getByLabel('Who may call').selectOption('None')
  const status = await page.evaluate(async (path) => (await fetch(path, { method: 'PUT', body: '{"description": "by somebody else"}',
    headers: { 'X-Apim-Session': '1', 'Content-Type': 'application/json' } })).status, `/api/am/publisher/v4/apis/${id}`)
  if (status !== 200) throw new Error(`changing it behind the page's back: ${status}`)
  await button('Save').click()
  await page.getByText('Somebody else has changed').waitFor()
  await w.look('changed by others')
  await button('Reload, keep my changes').click()
  await page.getByText('The others have changed: description.').waitFor()
  await button('Save').click()
  await saved()

  // A revision onto the gateways, and into the Store.
  await tab('Deployments')
  await button('New revision').click()
  await w.look('new revision')
  await dialog.getByRole('button', { name: 'Deploy' }).click()
  await page.getByText('Gateways take it up when').waitFor()
  await tab('Life cycle')
  await page.getByRole('button', { name: 'Publish → Published' }).focus()
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByText('In the Store; subscribers call it.').waitFor()
  await w.look('published')
  await tab('Overview')
  await page.getByText('Nothing is missing. State: Published.').waitFor()
  await tab('Deployments')
  await page.getByText('1 of 1 live gateways').waitFor()
  await page.goto(w.url(`/store/?q=${job.name}`))
  await page.getByRole('link', { name: job.name }).waitFor()

  // A document, and a file that is given back as it was.
  await w.visit(`/publisher/apis/${id}/documents`)
  await button('New document').click()
  await page.getByLabel('Name').fill('Getting started')
  await page.getByLabel('Content').fill('# Hello')
  await w.look('new document')
  await button('Save').click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Edit: Getting started' }).click()
  if (await page.getByLabel('Content').inputValue() !== '# Hello') throw new Error('the document has another content')
  await page.keyboard.press('Escape')
  await button('New document').click()
  await page.getByLabel('Name').fill('Sample')
  await page.getByLabel('Form').selectOption('FILE')
  await page.getByLabel('Document file').setInputFiles({ name: 'sample.bin', mimeType: 'application/octet-stream', buffer: Buffer.from([0, 1, 2, 255]) })
  await button('Save').click()
  await dialog.waitFor({ state: 'detached' })
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download: Sample' }).click()])
  if (file.suggestedFilename() !== 'sample.bin' || readFileSync(await file.path()).toString('hex') !== '000102ff') throw new Error('another file came back')

  // A definition that is wrong is explained, a good one takes its place.
  await w.visit(`/publisher/apis/${id}/definition?from=paste`)
  await button('Replace definition').click()
  await page.getByLabel('OpenAPI document').fill('{"openapi": "3.0.0", "info": {}, "paths": {"x": {}}}')
  await button('Check document').click()
  await dialog.getByText('The document has 3 problems').waitFor()
  await page.getByLabel('OpenAPI document').fill('openapi: 3.0.0\ninfo: {title: X, version: "1"}\npaths:\n  /new: {get: {responses: {"200": {description: ok}}}}\n')
  await button('Check document').click()
  await dialog.getByText('OpenAPI 3.0.0, valid.').waitFor()
  await dialog.getByRole('button', { name: 'Replace definition' }).click()
  await dialog.waitFor({ state: 'detached' })
  await tab('Resources')
  await page.getByText('/new', { exact: true }).waitFor()

  // A new version, thrown away again.
  await page.getByRole('link', { name: 'New version' }).click()
  await page.getByLabel('Version', { exact: true }).fill('2.0.0')
  await button('Create version').click()
  await page.getByText('2.0.0', { exact: false }).first().waitFor()
  await page.waitForURL((at) => !at.pathname.includes(id))
  await button('Delete').click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await page.waitForURL((at) => at.pathname === '/publisher/')
  return { id }
})
