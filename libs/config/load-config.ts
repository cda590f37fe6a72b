import { closest, distance } from 'fastest-levenshtein'

import { ConfigError, type ConfigProblem, withoutCredentials } from './config-error.ts'
import { configSchema, type ConfigValues } from './config-schema.ts'
import { crossSettingRules } from './cross-setting-rules.ts'
import { parseSetting, formatSetting } from './parse-setting.ts'
import { scriptVariables } from './script-variables.ts'
import { place, type PlacedSetting, settingsOf, valueAt } from './setting-tree.ts'

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

type Frozen<Value> = Value extends object ? { readonly [Key in keyof Value]: Frozen<Value[Key]> } : Value

/** The configuration of a process. Durations are in milliseconds (`…Ms`), sizes in bytes (`…Bytes…`). */
export type Config = Frozen<
  Omit<ConfigValues, 'http'> & { http: ConfigValues['http'] & { advertisedUrl: string } }
>

const placedSettings = settingsOf(configSchema)
const knownVariables = [...placedSettings.map(({ setting }) => setting.env), ...scriptVariables]

/**
 * Reads the configuration from the environment, with defaults for the rest. An empty variable counts as absent.
 * @throws ConfigError that lists all problems at once: variables that are unknown, malformed or conflicting
 */
export function loadConfig(env: Environment): Config {
  const values: Record<string, unknown> = {}
  const problems = placedSettings.flatMap((placed) => readInto(values, placed, env))
  // The values were parsed one by one, and a test checks the defaults, so this is what the schema describes.
  const config = values as ConfigValues
  problems.push(...unknownVariables(env), ...brokenRules(config, problems))
  if (problems.length > 0) throw new ConfigError(problems)
  const { http } = config
  return { ...config, http: { ...http, advertisedUrl: http.advertisedUrl ?? originOf(config) } }
}

/**
 * Sets the value of one setting. An invalid one gets its default, so that the remaining settings can be checked too.
 */
function readInto(
  values: Record<string, unknown>,
  { path, setting }: PlacedSetting,
  env: Environment,
): ConfigProblem[] {
  const given = env[setting.env] ?? ''
  const parsed = given.trim() === '' ? { value: setting.default as unknown } : parseSetting(setting, given)
  const isWrong = 'problem' in parsed
  const value: unknown = isWrong ? setting.default : parsed.value
  place(values, path, value)
  if (!isWrong) return []
  return [problemOf(setting.env, setting.secret === true ? undefined : given, parsed.problem)]
}

const problemOf = (key: string, value: string | undefined, problem: string): ConfigProblem => ({
  key,
  ...(value !== undefined && { value: withoutCredentials(value) }),
  problem,
})

function unknownVariables(env: Environment): ConfigProblem[] {
  return Object.keys(env)
    .filter((key) => key.startsWith('ANNALS_') && !knownVariables.includes(key))
    .map((key) => {
      const nearest = closest(key, knownVariables)
      const isNear = distance(key, nearest) <= key.length / 3
      return {
        key,
        problem: isNear ? `there is no such setting; did you mean ${nearest}?` : 'there is no such setting',
      }
    })
}

/** A rule is checked only when all of its settings are well-formed. */
function brokenRules(config: ConfigValues, problems: readonly ConfigProblem[]): ConfigProblem[] {
  const malformed = new Set(problems.map(({ key }) => key))
  return crossSettingRules
    .filter(({ settings }) => !settings.some((key) => malformed.has(key)))
    .filter(({ holds }) => !holds(config))
    .map(({ settings: [key, ...others], expected }) => {
      const found = others.map((other) => `${other} is ${shown(config, other) ?? 'not given'}`)
      return problemOf(key, shown(config, key), `expected ${expected} (${found.join(', ')})`)
    })
}

/** The value of a setting as it may be shown; undefined where it has none. */
function shown(config: ConfigValues, key: string): string | undefined {
  const placed = placedSettings.find(({ setting }) => setting.env === key)
  const value = placed && valueAt(config, placed.path)
  if (placed === undefined || value === undefined) return undefined
  return placed.setting.secret === true ? '(secret)' : formatSetting(placed.setting, value)
}

const originOf = ({ http: { host, port }, tls }: ConfigValues): string =>
  `${tls.certFile === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
