import { type RegistryAnswer, RegistryHttp, type RegistryOptions } from './registry-http.ts'
import { SchemaError } from './schema-error.ts'

/** Every version of a subject can read, and be read by, every other. */
const compatibility = 'FULL_TRANSITIVE'

type Json = Readonly<Record<string, unknown>>

/** How a subject's versions and a new schema get on. */
export interface CompatibilityVerdict {
  readonly compatible: boolean
  /** The registry's own words on what does not fit. */
  readonly messages: readonly string[]
}

/** A place of a schema in the registry. */
export interface SchemaUse {
  readonly subject: string
  /** As the registry counts the subject's versions, which is not as schema files do. */
  readonly version: number
}

/** A schema as it is registered. */
export interface RegisteredSchema extends SchemaUse {
  readonly id: number
  readonly text: string
}

/**
 * A schema registry by Confluent's HTTP API (Confluent, Apicurio, Karapace, Redpanda).
 *
 * Not over \@kafkajs/confluent-schema-registry: it sets the compatibility mode after the first registration and refuses a
 * subject that has another one instead of setting it, offers no compatibility check, and has no limit of time.
 */
export class SchemaRegistry {
  readonly #http: RegistryHttp

  constructor(options: RegistryOptions) {
    this.#http = new RegistryHttp(options)
  }

  /** Without user and password. */
  get url(): string {
    return this.#http.url
  }

  /**
   * Registers a schema under a subject that is then held to FULL_TRANSITIVE; the id of one that is there already is the same again.
   * @returns the schema's id.
   * @throws SchemaError `incompatible`, `registry-refused`, `registry-unreachable`
   */
  async register(subject: string, text: string): Promise<number> {
    await this.#holdToCompatibility(subject)
    const answer = await this.#http.request('POST', `${subjectPath(subject)}/versions`, { schema: text })
    if (answer.status === 409) {
      throw new SchemaError(
        'incompatible',
        `the registry refused a schema of subject ${subject} as incompatible with an earlier version (${compatibility}): ${messageOf(answer)}. Fields may come or go only with a default; any other change is a version with a namespace of its own and an upcaster`,
        { status: answer.status },
      )
    }
    const id = this.#accepted(answer, `register a schema of subject ${subject}`)['id']
    // A subject that did not exist could not be configured before; its first version had nothing to be compatible with.
    await this.#holdToCompatibility(subject)
    return Number(id)
  }

  /** The id of just this schema under this subject; undefined when it is not registered. */
  async find(subject: string, text: string): Promise<number | undefined> {
    const answer = await this.#http.request('POST', subjectPath(subject), { schema: text })
    if (answer.status === 404) return undefined
    return Number(this.#accepted(answer, `look up a schema of subject ${subject}`)['id'])
  }

  /** The schema's text; undefined when the registry has no such id. */
  async schemaById(id: number): Promise<string | undefined> {
    const answer = await this.#http.request('GET', `/schemas/ids/${id}`)
    if (answer.status === 404) return undefined
    return String(this.#accepted(answer, `give schema ${id}`)['schema'])
  }

  /** Where a schema is registered; nowhere when the registry has no such id. */
  async usesOf(id: number): Promise<readonly SchemaUse[]> {
    const answer = await this.#http.request('GET', `/schemas/ids/${id}/versions`)
    if (answer.status === 404) return []
    const uses = this.#accepted(answer, `say where schema ${id} is used`) as unknown as readonly Json[]
    return uses.map(({ subject, version }) => ({ subject: String(subject), version: Number(version) }))
  }

  /** All versions of a subject, oldest first; none when there is no such subject. */
  async versionsOf(subject: string): Promise<readonly RegisteredSchema[]> {
    const path = `${subjectPath(subject)}/versions`
    const answer = await this.#http.request('GET', path)
    if (answer.status === 404) return []
    const numbers = this.#accepted(answer, `list subject ${subject}`) as unknown as readonly number[]
    const versions: RegisteredSchema[] = []
    for (const version of numbers.toSorted((a, b) => a - b)) {
      const one = await this.#http.request('GET', `${path}/${version}`)
      const { id, schema } = this.#accepted(one, `give version ${version} of subject ${subject}`)
      versions.push({ subject, version, id: Number(id), text: String(schema) })
    }
    return versions
  }

  /** Whether the schema could be registered; a subject without versions takes any. */
  async checkCompatibility(subject: string, text: string): Promise<CompatibilityVerdict> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`
    const answer = await this.#http.request('POST', path, { schema: text })
    if (answer.status === 404) return { compatible: true, messages: [] }
    const verdict = this.#accepted(answer, `check a schema of subject ${subject}`)
    return {
      compatible: verdict['is_compatible'] === true,
      messages: ((verdict['messages'] ?? []) as readonly unknown[]).map(String),
    }
  }

  async #holdToCompatibility(subject: string): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`
    let answer = await this.#http.request('PUT', path, { compatibility })
    // Apicurio says so when another service, starting at the same moment, has just made the rule: by now it can be set.
    if (answer.status === 409) answer = await this.#http.request('PUT', path, { compatibility })
    if (answer.status !== 404) this.#accepted(answer, `hold subject ${subject} to ${compatibility}`)
  }

  #accepted(answer: RegistryAnswer, what: string): Json {
    if (answer.status < 300 && typeof answer.body === 'object' && answer.body !== null) {
      return answer.body as Json
    }
    throw new SchemaError(
      'registry-refused',
      `the schema registry at ${this.url} did not ${what}: HTTP ${answer.status}, ${messageOf(answer)}`,
      { status: answer.status },
    )
  }
}

const subjectPath = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`

const messageOf = ({ body }: RegistryAnswer): string => {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  return typeof message === 'string' ? message : 'no reason given'
}
