// SPDX-License-Identifier: Apache-2.0
// A relying party made of oauth4webapi, which throws wherever an answer is not what the specifications say. Takes a job as
// JSON in its first argument, prints the URL to send a browser to, reads the URL that the browser came back with, and prints
// what it learnt as JSON.
import { webcrypto } from 'node:crypto'
import * as readline from 'node:readline'

globalThis.crypto ??= webcrypto // Node 18
globalThis.CryptoKey ??= webcrypto.CryptoKey
const oauth = await import('oauth4webapi')

const job = JSON.parse(process.argv[2])
const http = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(job.issuer)
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...http, algorithm: job.algorithm ?? 'oidc' }))
const client = { client_id: job.client_id }
const algorithms = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' } }
const key = job.jwk && await crypto.subtle.importKey('jwk', job.jwk, algorithms[job.jwk.alg], false, ['sign'])
const auth = {
  client_secret_basic: () => oauth.ClientSecretBasic(job.client_secret),
  client_secret_post: () => oauth.ClientSecretPost(job.client_secret),
  client_secret_jwt: () => oauth.ClientSecretJwt(job.client_secret),
  private_key_jwt: () => oauth.PrivateKeyJwt({ key, kid: job.jwk.kid }),
  none: () => oauth.None(),
}[job.method]()

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const url = new URL(as.authorization_endpoint)
for (const [name, value] of Object.entries({
  response_type: 'code', client_id: job.client_id, redirect_uri: job.redirect_uri, scope: job.scope, state, nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', max_age: '1000',
})) url.searchParams.set(name, value)
if (job.par) {
  const pushed = await oauth.processPushedAuthorizationResponse(as, client,
    await oauth.pushedAuthorizationRequest(as, client, auth, url.searchParams, http))
  url.search = new URLSearchParams({ client_id: job.client_id, request_uri: pushed.request_uri }).toString()
}
console.log(url.href)

const back = new URL((await lines.next()).value)
const params = oauth.validateAuthResponse(as, client, back, state)
const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, job.redirect_uri, verifier, http)
const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, maxAge: 1000, requireIdToken: true })
await oauth.validateApplicationLevelSignature(as, response, http)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const userinfo = await oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, http))
const result = { claims, userinfo, scope: tokens.scope, id_token: tokens.id_token }

const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, http))
result.refreshed = refreshed.access_token !== tokens.access_token
if (job.method !== 'none') {
  const look = async () => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, refreshed.access_token, http))
  result.introspected = (await look()).active
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, refreshed.access_token, http))
  result.after_revocation = (await look()).active
}
console.log(JSON.stringify(result))
process.exit(0)
