// SPDX-License-Identifier: Apache-2.0
// Somebody new signs up, subscribes with an application made on the spot, and calls the API in the console. job: url, user, api.
import { browse } from './page.mjs'

await browse(async ({ job, open }) => {
  const w = await open()
  const { page } = w
  const button = (name) => page.getByRole('button', { name, exact: true })
  const main = page.getByRole('main')
  const dialog = page.getByRole('dialog')
  const toast = (text) => page.locator('.toast', { hasText: text }).waitFor()
  const must = (right, what) => { if (!right) throw new Error(what) }

  // An account; what is wrong with it is said in the server's words.
  await w.visit('/store/')
  await main.getByRole('link', { name: job.api.name }).click()
  await main.getByText('A shelf of books').waitFor()
  await main.getByRole('link', { name: 'Subscribe', exact: true }).click()
  await main.getByRole('link', { name: 'Sign up' }).click()
  await page.getByLabel('User name').fill('subscriber')
  await page.getByLabel('Password').fill(job.user.password)
  await button('Sign up').click()
  await page.getByRole('alert').waitFor()
  await w.look('a refused sign-up')
  await page.getByLabel('User name').fill(job.user.name)
  await button('Sign up').click()
  await main.getByText(`You can log in as ${job.user.name} now.`).waitFor()

  // Logging in leads back to where one was.
  await w.logIn(job.user, `/store/apis/${job.api.id}/subscribe`)
  await page.getByLabel('Name of the application').fill('Reader')
  await page.getByLabel('Tier').selectOption('Gold')
  await button('Subscribe').click()
  await toast('Subscribed to')
  await w.look('a subscription')
  await button('Change the tier').click()
  await dialog.getByLabel('Tier').selectOption('Unlimited')
  await w.look('a dialog')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  must(await button('Change the tier').evaluate((e) => e === document.activeElement), 'the focus has not come back from the dialog')
  await button('Change the tier').click()
  await dialog.getByLabel('Tier').selectOption('Unlimited')
  await button('Save').click()
  await main.getByRole('cell', { name: 'Unlimited' }).waitFor()

  // The console: keys and a token by one click, then the call.
  await main.getByRole('link', { name: 'Try it out' }).first().click()
  await page.getByLabel('What to call').selectOption({ label: 'GET /books/{bookId}' })
  await button('Get a test token').click()
  await main.getByText('Shown only now.').waitFor()
  await page.getByLabel('bookId').fill('a b/c')
  await page.waitForFunction(() => document.querySelector('input.mono').value.length > 20)
  await page.waitForFunction(() => document.querySelector('.requestline code').textContent.endsWith('/books/a%20b%2Fc'))
  await page.getByLabel('bookId').fill('17')
  // A gateway hears of a new subscription within a second.
  for (let i = 0; i < 40; i++) {
    await button('Send').click()
    await page.locator('.answer .status').waitFor()
    if (await page.locator('.answer .badge.good').count()) break
    await page.waitForTimeout(100)
  }
  must((await page.locator('.answer .badge').first().textContent()).startsWith('200'), 'the call was not answered with 200')
  must((await page.locator('.answer pre').textContent()).includes('/books/17'), 'the answer is not the back end\'s')
  for (const language of ['JavaScript', 'Python', 'Java', 'Go', 'C#', 'curl']) {
    await button(language).click()
    must((await page.getByLabel(language, { exact: true }).textContent()).includes('/books/17'), `${language} lacks the address`)
  }
  await w.look('an answer in the console')

  // The application: its keys, a new secret, a token, an API key; German.
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Applications' }).click()
  await main.getByRole('link', { name: 'Reader' }).click()
  await main.getByRole('link', { name: 'Production' }).click()
  await main.getByText('The secret was shown when it was made.').waitFor()
  await button('Make a new secret').click()
  await dialog.getByRole('button', { name: 'Make a new secret' }).click()
  await page.locator('.secret').waitFor()
  await w.look('a secret')
  await button('Generate a token').click()
  await dialog.getByRole('button', { name: 'Generate a token' }).click()
  await dialog.locator('.secret').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await main.getByRole('link', { name: 'Sandbox' }).click()
  await page.getByLabel('Code: people log in').check()
  await page.getByLabel('Callback URLs').fill('https://app.example.com/callback')
  await button('Generate keys').click()
  await toast('The keys were made.')
  await main.getByRole('link', { name: 'API keys' }).click()
  await page.getByLabel('Only from these addresses').fill('nowhere')
  await button('Generate the key').click()
  await page.getByRole('alert').getByText('nowhere').waitFor()
  await page.getByLabel('Only from these addresses').fill('192.0.2.0/24')
  await button('Generate the key').click()
  await toast('The API key was made.')
  const key = await page.locator('.secret').textContent()
  await page.getByLabel('API key', { exact: true }).last().fill(key)
  await button('Revoke an API key').click()
  await toast('The API key is revoked.')
  await page.locator('.menu summary').click()
  await page.getByLabel('Language').selectOption('de')
  await main.getByRole('heading', { name: 'Neuer API-Schlüssel' }).waitFor()
  must(await page.evaluate(() => document.documentElement.lang) === 'de', 'the page does not say that it is German')
  await page.getByLabel('Sprache').selectOption('en')

  // Everything goes again, and one leaves.
  await main.getByRole('link', { name: 'Overview' }).click()
  await button('Unsubscribe').click()
  await dialog.getByRole('button', { name: 'Unsubscribe' }).click()
  await main.getByText('No subscriptions yet').waitFor()
  await button('Delete').click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await main.getByText('No applications yet').waitFor()
  await page.locator('.menu summary').click()
  await button('Log out').click()
  await page.waitForURL(w.url('/store/'))
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  return {}
})
