// Writes docs/configuration.md from the settings in libs/config: npm run docs:config
import { writeFile } from 'node:fs/promises'

import { format, resolveConfig } from 'prettier'

import { configReference } from '#config'

const path = new URL('../docs/configuration.md', import.meta.url).pathname
await writeFile(path, await format(configReference(), { ...(await resolveConfig(path)), filepath: path }))
