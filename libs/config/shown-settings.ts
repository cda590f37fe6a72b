import { withoutCredentials } from './config-error.ts'
import { configSchema } from './config-schema.ts'
import type { Config } from './load-config.ts'
import { formatSetting } from './parse-setting.ts'
import { settingsOf, valueAt } from './setting-tree.ts'

/** In a query string. */
const secretParameter = /([?&][^=&\s]*(?:password|passwd|pwd|secret|token|key)[^=&\s]*=)[^&\s,]*/gi

/**
 * All settings in force, defaults included, as variables by name. Secrets are left out, users and passwords in URLs are replaced by `***`: what
 * comes out may be kept and shown.
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
