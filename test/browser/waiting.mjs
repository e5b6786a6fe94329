// SPDX-License-Identifier: Apache-2.0
// Everything that a subscriber wants has to be approved: what he sees while it waits, and how he takes it back. Also an application that is
// shared. job: url, user, api, role, shared (an application of somebody else's).
import { browse } from './page.mjs'

await browse(async ({ job, open }) => {
  const w = await open()
  const { page } = w
  const button = (name) => page.getByRole('button', { name, exact: true })
  const main = page.getByRole('main')
  const dialog = page.getByRole('dialog')
  const toast = (text) => page.locator('.toast', { hasText: text }).last().waitFor()
  const confirm = (name) => dialog.getByRole('button', { name, exact: true }).click()

  await w.visit('/store/sign-up')
  await page.getByLabel('User name').fill('pagewaiter')
  await page.getByLabel('Password').fill('correct horse 7')
  await button('Sign up').click()
  await main.getByText('Your account waits for approval').waitFor()
  await w.look('an account that waits')

  // An application that was approved already: its subscription, keys, tier and end wait.
  await w.logIn(job.user, `/store/apis/${job.api.id}/subscribe`)
  await page.getByLabel('Application').selectOption({ label: 'patient' })
  await button('Subscribe').click()
  await main.getByText('Waits for approval', { exact: true }).waitFor()
  await w.look('a subscription that waits')
  await button('Unsubscribe').click()
  await confirm('Unsubscribe')
  await toast('Unsubscribed')

  await w.visit('/store/applications')
  await main.getByRole('link', { name: 'patient' }).click()
  await main.getByRole('link', { name: 'Production' }).click()
  await button('Generate keys').click()
  await main.getByText('The keys wait for approval').waitFor()
  await w.look('keys that wait')
  await button('Withdraw').click()
  await confirm('Withdraw')
  await button('Generate keys').waitFor()

  await main.getByRole('link', { name: 'Overview' }).click()
  await button('Change the tier').click()
  await dialog.getByLabel('Tier').selectOption('Unlimited')
  await button('Save').click()
  await main.getByText('Gold → Unlimited').waitFor()
  await w.look('a tier that waits')
  await button('Delete').click()
  await confirm('Delete')
  await main.getByText('Removal waits for approval').first().waitFor()
  await w.look('a removal that waits')

  // Shared: with a role of one's own, and by somebody else.
  await button('Edit').click()
  await dialog.getByRole('checkbox', { name: job.role }).check()
  await w.look('an application to share')
  await button('Save').click()
  await dialog.waitFor({ state: 'detached' })
  await main.getByText('Shared with').waitFor()
  await w.visit('/store/applications')
  await main.getByRole('link', { name: job.shared }).click()
  await main.getByText(job.role).waitFor()
  if (await button('Delete').count()) throw new Error('an application of somebody else can be deleted')
})
