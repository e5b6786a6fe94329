// SPDX-License-Identifier: Apache-2.0
import { words } from '../lib/i18n'
import { admin } from '../messages/en/admin'

export const a = words(admin, { de: async () => (await import('../messages/de/admin')).admin })
