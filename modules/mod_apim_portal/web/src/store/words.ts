// SPDX-License-Identifier: Apache-2.0
// What the Store says: its own words and the common ones.
import { words } from '../lib/i18n'
import { common } from '../messages/en/common'
import { store } from '../messages/en/store'

const german = async () => {
  const [c, s] = await Promise.all([import('../messages/de/common'), import('../messages/de/store')])
  return { ...c.common, ...s.store }
}

export const t = words({ ...common, ...store }, { de: german })
