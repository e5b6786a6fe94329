// SPDX-License-Identifier: Apache-2.0
// What the Publisher and the administration both say.
import { words } from '../lib/i18n'
import { manage } from '../messages/en/manage'

export const m = words(manage, { de: async () => (await import('../messages/de/manage')).manage })

/** The name of a life-cycle state. */
export const stateName = (state: string) => (`state.${state}` in manage ? m(`state.${state}` as keyof typeof manage) : state)
