import type { TObject } from '@sinclair/typebox'

import { configSchema } from './config-schema.ts'
import { crossSettingRules } from './cross-setting-rules.ts'
import { expectation, formatSetting } from './parse-setting.ts'
import { scriptVariables } from './script-variables.ts'
import { type PlacedSetting, settingsOf } from './setting-tree.ts'

/** The documentation of all settings, generated from their schema: Markdown, not yet formatted by Prettier. */
export const configReference = (): string =>
  [
    '# Configuration',
    '',
    '<!-- Generated from libs/config by `npm run docs:config`; a test checks that it is current. -->',
    '',
    'Services are configured by environment variables. A service does not start when a variable that begins with `ANNALS_` is unknown, is malformed or',
    'conflicts with another. It reports all problems at once. An empty variable counts as absent.',
    '',
    'Durations and sizes are whole numbers with a unit: `500ms`, `5s`, `2m`, `1h`, `1d`; `100B`, `512KiB`, `1MiB`, `1GiB`.',
    '',
    ...Object.values(configSchema.properties).flatMap(section),
    '## Settings that depend on each other',
    '',
    ...crossSettingRules.map(({ settings: [first], expected }) => `- \`${first}\`: ${inCode(expected)}`),
    '',
    '## Variables of the scripts and the command line',
    '',
    `The scripts, the tests and the command line read further variables, which services ignore (see \`./scripts/start.sh --help\`): ${scriptVariables.map((it) => `\`${it}\``).join(', ')}.`,
    '',
  ].join('\n')

const section = (group: TObject): string[] => [
  `## ${group.title ?? ''}`,
  '',
  group.description ?? '',
  '',
  '| variable | default | expected | meaning |',
  '| --- | --- | --- | --- |',
  ...settingsOf(group).map(row),
  '',
]

const row = ({ setting }: PlacedSetting): string =>
  `| \`${setting.env}\` | ${defaultOf(setting)} | ${expectation(setting)} | ${setting.description} |`

function defaultOf(setting: PlacedSetting['setting']): string {
  if (setting.defaultText !== undefined) return setting.defaultText.replace(/^http.*/, '`$&`')
  const text = setting.default === undefined ? '' : formatSetting(setting, setting.default)
  return text === '' ? 'none' : `\`${text}\``
}

const inCode = (text: string): string => text.replaceAll(/ANNALS_\w+/g, '`$&`')
