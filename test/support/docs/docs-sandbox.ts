import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { repository } from '../../../scripts/stack/index.ts'

/** A folder that looks like a separate checkout, in which the commands of the docs run. */
export interface DocsSandbox {
  readonly root: string
  write(file: string, text: string): void
  remove(): void
}

// With the lock file, the scripts would install packages through the link into the checkout.
const leftOut = ['.annals', '.git', 'docs', 'package-lock.json']

/** Creates a sandbox of links into the checkout. Files written to it stay out of the checkout. */
export function docsSandbox(): DocsSandbox {
  const root = mkdtempSync(join(tmpdir(), 'annals-docs-'))
  for (const name of readdirSync(repository))
    if (!leftOut.includes(name)) symlinkSync(join(repository, name), join(root, name))
  return {
    root,
    write(file, text) {
      const path = join(root, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
