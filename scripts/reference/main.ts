// Writes docs/reference from the code: npm run docs:reference
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { reference } from './reference.ts'

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference')
await mkdir(folder, { recursive: true })
for (const [name, text] of await reference()) await writeFile(join(folder, name), text)
