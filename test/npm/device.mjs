// SPDX-License-Identifier: Apache-2.0
// A device without a browser made of oauth4webapi, which throws wherever an answer is not what RFC 8628 says. Takes a job as
// JSON in its first argument, prints what it would show, asks once too early to be told, reads a line when a person has
// decided, and prints what it got as JSON.
import { webcrypto } from 'node:crypto'
import * as readline from 'node:readline'

globalThis.crypto ??= webcrypto // Node 18
globalThis.CryptoKey ??= webcrypto.CryptoKey
const oauth = await import('oauth4webapi')

const job = JSON.parse(process.argv[2])
const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(job.issuer)
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: 'oauth2' }))
const client = { client_id: job.client_id }
const auth = job.client_secret ? oauth.ClientSecretBasic(job.client_secret) : oauth.None()

const shown = await oauth.processDeviceAuthorizationResponse(as, client,
  await oauth.deviceAuthorizationRequest(as, client, auth, { scope: job.scope }, http))
const ask = async () => oauth.processDeviceCodeResponse(as, client, await oauth.deviceCodeGrantRequest(as, client, auth, shown.device_code, http))
const refused = async () => ask().then(() => 'tokens', (e) => e instanceof oauth.ResponseBodyError ? e.error : Promise.reject(e))
const early = [await refused(), await refused()]
console.log(JSON.stringify({ ...shown, early }))

await lines.next()
const tokens = await ask()
const claims = oauth.getValidatedIdTokenClaims(tokens)
const again = await refused()
const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, http))
console.log(JSON.stringify({ claims, scope: tokens.scope, again, refreshed: refreshed.access_token !== tokens.access_token }))
process.exit(0)
