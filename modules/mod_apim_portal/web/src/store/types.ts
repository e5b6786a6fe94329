// SPDX-License-Identifier: Apache-2.0
// What DevPortal v3 answers, as far as the pages read it.
import { number } from '../lib/i18n'
import { t } from './words'

export interface ApiItem {
  id: string
  name: string
  description: string
  context: string
  version: string
  provider: string
  lifeCycleStatus: string
  tags: string[]
  throttlingPolicies: string[]
  hasThumbnail?: boolean
  avgRating?: string
}

export interface Api extends Omit<ApiItem, 'throttlingPolicies'> {
  isDefaultVersion: boolean
  authorizationHeader: string
  apiKeyHeader: string
  securityScheme: string[]
  tiers: Tier[]
  scopes: { key: string; name: string; roles: string[]; description: string }[]
  categories?: string[]
  businessInformation: Record<string, string | null>
  lastUpdatedTime: string
  createdTime: string
  visibility: string
  isSubscriptionAvailable: boolean
  endpointURLs: { environmentName: string; environmentDisplayName: string; URLs: Record<string, string | null>; defaultVersionURLs: Record<string, string | null> }[]
}

export interface Application {
  applicationId: string
  name: string
  description: string
  throttlingPolicy: string
  tokenType: string
  status: string
  owner: string
  subscriptionCount: number
  attributes: Record<string, string>
  groups: string[]
  createdTime?: string
}

export interface Subscription {
  subscriptionId: string
  applicationId: string
  apiId: string
  throttlingPolicy: string
  requestedThrottlingPolicy: string
  status: string
  apiInfo?: ApiItem
  applicationInfo?: Application
}

export interface Key {
  keyMappingId: string
  consumerKey: string
  consumerSecret: string
  keyType: 'PRODUCTION' | 'SANDBOX'
  keyState: 'APPROVED' | 'CREATED' | 'REJECTED'
  supportedGrantTypes: string[]
  callbackUrl: string | null
  token?: Token | null
  additionalProperties?: Record<string, unknown>
}

export interface Token {
  accessToken: string
  validityTime: number
  tokenScopes?: string[]
}

export interface Tier {
  tierName: string
}

export interface Policy {
  name: string
  displayName: string
  description: string
  requestCount: number
  unitTime: number
  timeUnit: string
}

/** The base URL that subscribers call; https where there is one. */
export function baseUrl(api: Api): string | undefined {
  const urls = api.endpointURLs[0]?.URLs
  return urls?.https ?? urls?.http ?? undefined
}

const units = { sec: 'unit.sec', min: 'unit.min', hour: 'unit.hour', day: 'unit.day', month: 'unit.month', year: 'unit.year' } as const

/** A limit as people say it: "100 calls per minute". */
export function limitOf(p: Policy): string {
  if (!p.timeUnit || p.requestCount < 0 || p.name === 'Unlimited') return t('limit.none')
  const unit = units[p.timeUnit.replace(/s$/, '').replace(/^minute$/, 'min') as keyof typeof units]
  const of = unit ? t(unit) : p.timeUnit
  return p.unitTime === 1 ? t('limit', number(p.requestCount), of) : t('limit.many', number(p.requestCount), number(p.unitTime), of)
}

/** What one can choose from where an API is offered in these tiers. */
export function tierChoices(offered: Tier[], all: Policy[]): [string, string][] {
  return offered.map(({ tierName }) => {
    const policy = all.find((p) => p.name === tierName)
    return [tierName, policy ? `${policy.displayName} (${limitOf(policy)})` : tierName]
  })
}
