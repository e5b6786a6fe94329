// SPDX-License-Identifier: Apache-2.0
// What Publisher v4 answers, as far as the pages read it.
import { has } from '../lib/api'

export interface ApiItem {
  id: string
  name: string
  description: string
  context: string
  version: string
  provider: string
  lifeCycleStatus: string
  hasThumbnail: boolean
  updatedTime: string
}

export interface Operation {
  id: string
  target: string
  verb: string
  authType: string
  throttlingPolicy: string
  scopes: string[]
}

export interface Scope {
  name: string
  displayName: string
  description: string
  bindings: string[]
}

export interface Endpoint {
  url: string
  config?: Record<string, unknown>
}

export interface Security {
  enabled: boolean
  type: string
  username?: string
  password?: string
  grantType?: string
  tokenUrl?: string
  clientId?: string
  clientSecret?: string
  [more: string]: unknown
}

export interface EndpointConfig {
  endpoint_type: string
  production_endpoints?: Endpoint | Endpoint[]
  sandbox_endpoints?: Endpoint | Endpoint[]
  production_failovers?: Endpoint[]
  sandbox_failovers?: Endpoint[]
  endpoint_security?: Record<string, Security>
  [more: string]: unknown
}

export interface Cors {
  corsConfigurationEnabled: boolean
  accessControlAllowOrigins: string[]
  accessControlAllowCredentials: boolean
  accessControlAllowHeaders: string[]
  accessControlAllowMethods: string[]
}

export interface MaxTps {
  production?: number | null
  productionTimeUnit?: string | null
  sandbox?: number | null
  sandboxTimeUnit?: string | null
  [more: string]: unknown
}

export interface Api {
  id: string
  name: string
  description: string
  context: string
  version: string
  provider: string
  lifeCycleStatus: string
  workflowStatus: string | null
  hasThumbnail: boolean
  isDefaultVersion: boolean
  tags: string[]
  categories: string[]
  policies: string[]
  apiThrottlingPolicy: string | null
  accessControl: string
  accessControlRoles: string[]
  authorizationHeader: string
  apiKeyHeader: string
  securityScheme: string[]
  maxTps: MaxTps | null
  transport: string[]
  visibility: string
  visibleRoles: string[]
  additionalProperties: { name: string; value: string; display: boolean }[]
  businessInformation: Record<string, string | null>
  corsConfiguration: Cors
  endpointConfig: EndpointConfig | null
  scopes: { scope: Scope; shared: boolean }[]
  operations: Operation[]
  createdTime: string
  lastUpdatedTime: string
  updatedBy: string
}

export interface Policy {
  name: string
  displayName: string
  description: string
}

export interface Environment {
  name: string
  displayName: string
  description: string
  endpoints: { http: string | null; https: string | null }
  vhosts: { host: string }[]
}

export const verbs = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

export const mayCreate = () => has('apim:api_create', 'apim:api_manage', 'apim:admin')
export const mayPublish = () => has('apim:api_publish', 'apim:api_manage', 'apim:admin')
export const mayDelete = () => has('apim:api_delete', 'apim:api_manage', 'apim:admin')

/** What an API is called at: one URL, as an array. */
export const listed = (e?: Endpoint | Endpoint[] | null): Endpoint[] => (Array.isArray(e) ? e : e ? [e] : []).filter((x) => x.url)
/** What is sent: without rows that were begun and left empty. */
export function withoutBlanks(changes: Partial<Api>): Partial<Api> {
  const out = { ...changes }
  if (out.additionalProperties) out.additionalProperties = out.additionalProperties.filter((x) => x.name || x.value)
  if (out.endpointConfig) {
    const config = { ...out.endpointConfig }
    for (const name of ['production_endpoints', 'sandbox_endpoints', 'production_failovers', 'sandbox_failovers'] as const) {
      const value = config[name]
      if (!Array.isArray(value)) continue
      const full = listed(value)
      if (full.length) config[name] = full
      else delete config[name]
    }
    out.endpointConfig = config
  }
  return out
}

export const hasEndpoint = (api: Api) => listed(api.endpointConfig?.production_endpoints).length + listed(api.endpointConfig?.sandbox_endpoints).length > 0
/** The context with the version in it, as callers write it. */
export const fullContext = (api: { context: string; version: string }) =>
  api.context.includes('{version}') ? api.context.replace('{version}', api.version) : `${api.context}/${api.version}`
