// Writes docs/operations/rights.md from the table in services/cli/reach: npm run docs:rights
import { writeFile } from 'node:fs/promises'

import { format, resolveConfig } from 'prettier'

import { rightsReference } from '../services/cli/reach/rights-page.ts'

const path = new URL('../docs/operations/rights.md', import.meta.url).pathname
await writeFile(path, await format(rightsReference(), { ...(await resolveConfig(path)), filepath: path }))
