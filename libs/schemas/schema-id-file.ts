import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { reasonOf, SchemaError } from './schema-error.ts'

type SchemaTexts = Readonly<Record<string, string>>

interface Content {
  readonly registry: string
  readonly schemas: SchemaTexts
}

/**
 * The schema ids fetched so far, in a small file. It is read only when the registry is down, because the registry
 * assigns ids. Ids of another registry are never used.
 */
export class SchemaIdFile {
  readonly #path: string
  readonly #registry: string

  constructor(path: string, registryUrl: string) {
    this.#path = path
    this.#registry = registryUrl
  }

  /** Texts of schemas by id; none when the file is missing, unreadable, or of another registry. */
  read(): ReadonlyMap<number, string> {
    return new Map(Object.entries(this.#texts()).map(([id, text]) => [Number(id), text]))
  }

  /** Adds to the content of the file, because several processes may share it. @throws SchemaError `cache-unusable` */
  add(learnt: ReadonlyMap<number, string>): void {
    const content: Content = {
      registry: this.#registry,
      schemas: { ...this.#texts(), ...Object.fromEntries(learnt) },
    }
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      const draft = `${this.#path}.${process.pid}`
      writeFileSync(draft, JSON.stringify(content, null, 2), { mode: 0o600 })
      renameSync(draft, this.#path)
    } catch (error) {
      throw new SchemaError(
        'cache-unusable',
        `schema ids cannot be stored in ${this.#path} (${reasonOf(error)}): make its folder writable, or configure another`,
      )
    }
  }

  #texts(): SchemaTexts {
    try {
      const content = JSON.parse(readFileSync(this.#path, 'utf8')) as Content
      return content.registry === this.#registry ? content.schemas : {}
    } catch {
      // A missing or damaged file counts as empty: the registry has the ids.
      return {}
    }
  }
}
