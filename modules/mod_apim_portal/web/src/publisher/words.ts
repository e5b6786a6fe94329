// SPDX-License-Identifier: Apache-2.0
import { words } from '../lib/i18n'
import { publisher } from '../messages/en/publisher'

export type Key = keyof typeof publisher
export const p = words(publisher, { de: async () => (await import('../messages/de/publisher')).publisher })
