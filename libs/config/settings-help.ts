import { configSchema } from './config-schema.ts'
import { formatSetting } from './parse-setting.ts'
import { settingsOf } from './setting-tree.ts'

/** A setting as a help text shows it. */
interface ShownSetting {
  /** The environment variable. */
  readonly variable: string
  /** The default as the variable would give it; empty where there is none. */
  readonly standard: string
  readonly description: string
}

/** All settings of the services, in the order of the documentation. */
export const settingsHelp = (): readonly ShownSetting[] =>
  settingsOf(configSchema).map(({ setting }) => ({
    variable: setting.env,
    standard: setting.default === undefined ? '' : formatSetting(setting, setting.default),
    description: setting.description,
  }))
