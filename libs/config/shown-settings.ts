import { withoutCredentials } from './config-error.ts'
import { configSchema } from './config-schema.ts'
import type { Config } from './load-config.ts'
import { formatSetting } from './parse-setting.ts'
import { settingsOf, valueAt } from './setting-tree.ts'

/** A secret in a query string. */
const secretParameter = /([?&][^=&\s]*(?:password|passwd|pwd|secret|token|key)[^=&\s]*=)[^&\s,]*/gi

/**
 * All effective settings, defaults included, as variables by name. Secrets are left out, and users and passwords in
 * URLs are replaced by `***`, so the result may be stored and shown.
 */
export const shownSettings = (config: Config): Readonly<Record<string, string>> =>
  Object.fromEntries(
    settingsOf(configSchema)
      .filter(({ setting }) => setting.secret !== true)
      .map(({ path, setting }) => ({ setting, value: valueAt(config, path) }))
      .filter(({ value }) => value !== undefined)
      .map(({ setting, value }) => [setting.env, shown(formatSetting(setting, value))]),
  )

const shown = (text: string): string => withoutCredentials(text).replaceAll(secretParameter, '$1***')
