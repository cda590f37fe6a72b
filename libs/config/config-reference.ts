import type { TObject } from '@sinclair/typebox'

import { configSchema } from './config-schema.ts'
import { crossSettingRules } from './cross-setting-rules.ts'
import { expectation, formatSetting } from './parse-setting.ts'
import { scriptVariables } from './script-variables.ts'
import { type PlacedSetting, settingsOf } from './setting-tree.ts'

/** The documentation of all settings, made from their schema: Markdown, before Prettier. */
export const configReference = (): string =>
  [
    '# Configuration',
    '',
    '<!-- Made from libs/config by `npm run docs:config`; a test checks that it is current. -->',
    '',
    'Services are configured by environment variables. An unknown one whose name begins with `ANNALS_` is an error, as is one that is malformed or does not',
    'go with the others: a service then tells all that is wrong at once, and does not start. A variable that is empty counts as absent.',
    '',
    'Durations and sizes are whole numbers with a unit: `500ms`, `5s`, `2m`, `1h`, `1d`; `100B`, `512KiB`, `1MiB`, `1GiB`.',
    '',
    ...Object.values(configSchema.properties).flatMap(section),
    '## Settings that go together',
    '',
    ...crossSettingRules.map(({ settings: [first], expected }) => `- \`${first}\`: ${inCode(expected)}`),
    '',
    '## Variables of scripts and command line',
    '',
    `More are read by the scripts, the tests and the command line; services let them pass (\`./scripts/start.sh --help\` tells of them): ${scriptVariables.map((it) => `\`${it}\``).join(', ')}.`,
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
