import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder of files, by path, deleted after the test. Values other than strings are written as JSON. */
export function schemaFiles(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'annals-schemas-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeSchemaFiles(folder, files)
  return folder
}

export function writeSchemaFiles(folder: string, files: Readonly<Record<string, unknown>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
}

/** The schema of a record: `record('order.ItemAdded', { sku: 'string', note: defaulted('string', '') })`. */
export function record(
  fullName: string,
  fields: Readonly<Record<string, unknown>>,
  rest: object = {},
): object {
  const dot = fullName.lastIndexOf('.')
  return {
    type: 'record',
    name: fullName.slice(dot + 1),
    namespace: fullName.slice(0, dot),
    ...rest,
    fields: Object.entries(fields).map(([name, type]) =>
      isDefaulted(type) ? { name, type: type.type, default: type.byDefault } : { name, type },
    ),
  }
}

interface Defaulted {
  readonly type: unknown
  readonly byDefault: unknown
}

/** A field's type with a default. */
export const defaulted = (type: unknown, byDefault: unknown): Defaulted => ({ type, byDefault })

const isDefaulted = (type: unknown): type is Defaulted =>
  typeof type === 'object' && type !== null && 'byDefault' in type
