import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { reasonOf, SchemaError } from './schema-error.ts'

type SchemaTexts = Readonly<Record<string, string>>

interface Content {
  readonly registry: string
  readonly schemas: SchemaTexts
}

/**
 * The schema ids learnt so far, in a small file: read only when the registry is down, for ids are the registry's to give.
 * What another registry gave is never taken up.
 */
export class SchemaIdFile {
  readonly #path: string
  readonly #registry: string

  constructor(path: string, registryUrl: string) {
    this.#path = path
    this.#registry = registryUrl
  }

  /** Texts of schemas by id; none when there is no file, or it is of another registry, or unreadable. */
  read(): ReadonlyMap<number, string> {
    return new Map(Object.entries(this.#texts()).map(([id, text]) => [Number(id), text]))
  }

  /** Adds to what the file holds, for several processes may share it. @throws SchemaError `cache-unusable` */
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
        `schema ids cannot be kept in ${this.#path} (${reasonOf(error)}): make its folder writable, or configure another`,
      )
    }
  }

  #texts(): SchemaTexts {
    try {
      const content = JSON.parse(readFileSync(this.#path, 'utf8')) as Content
      return content.registry === this.#registry ? content.schemas : {}
    } catch {
      // A missing or damaged file is an empty one: the registry will be asked.
      return {}
    }
  }
}
