import { type RegistryAnswer, RegistryHttp, type RegistryOptions } from './registry-http.ts'
import { SchemaError } from './schema-error.ts'

/** Every version of a subject can read, and be read by, every other. */
const compatibility = 'FULL_TRANSITIVE'

type Json = Readonly<Record<string, unknown>>

/** Whether a new schema is compatible with the versions of a subject. */
export interface CompatibilityVerdict {
  readonly compatible: boolean
  /** The registry's messages about what is incompatible. */
  readonly messages: readonly string[]
}

/** A version of a subject. */
export interface SchemaUse {
  readonly subject: string
  /** The registry's number, which differs from that of the schema file. */
  readonly version: number
}

/** A registered schema. */
export interface RegisteredSchema extends SchemaUse {
  readonly id: number
  readonly text: string
}

/**
 * A schema registry with Confluent's HTTP API (Confluent, Apicurio, Karapace, Redpanda).
 * docs/decisions/0013-own-registry-requests.md says why it does not use \@kafkajs/confluent-schema-registry.
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
   * Registers a schema and sets the subject's compatibility to FULL_TRANSITIVE. Registering a schema again returns the same id.
   * @returns the schema's id.
   * @throws SchemaError `incompatible`, `registry-refused`, `registry-unreachable`
   */
  async register(subject: string, text: string): Promise<number> {
    await this.#setCompatibility(subject)
    const answer = await this.#http.request('POST', `${subjectPath(subject)}/versions`, { schema: text })
    if (answer.status === 409) {
      throw new SchemaError(
        'incompatible',
        `the registry rejected a schema of subject ${subject} as incompatible with an earlier version (${compatibility}): ${messageOf(answer)}. Only fields with a default may be added or removed. Any other change needs a version with a new namespace, and an upcaster`,
        { status: answer.status },
      )
    }
    const id = this.#accepted(answer, `register a schema of subject ${subject}`)['id']
    // The registry rejects the setting for a subject that does not exist, so a new subject gets it after its first version.
    await this.#setCompatibility(subject)
    return Number(id)
  }

  /** The id of exactly this schema under this subject; undefined when it is not registered. */
  async find(subject: string, text: string): Promise<number | undefined> {
    const answer = await this.#http.request('POST', subjectPath(subject), { schema: text })
    if (answer.status === 404) return undefined
    return Number(this.#accepted(answer, `look up a schema of subject ${subject}`)['id'])
  }

  /** The schema's text, as it was registered; undefined when the registry has no such id. */
  async schemaById(id: number): Promise<string | undefined> {
    const answer = await this.#http.request('GET', `/schemas/ids/${id}`)
    if (answer.status === 404) return undefined
    return String(this.#accepted(answer, `return schema ${id}`)['schema'])
  }

  /** The subjects and versions of a schema; empty when the registry has no such id. */
  async usesOf(id: number): Promise<readonly SchemaUse[]> {
    const answer = await this.#http.request('GET', `/schemas/ids/${id}/versions`)
    if (answer.status === 404) return []
    const uses = this.#accepted(answer, `list the subjects of schema ${id}`) as unknown as readonly Json[]
    return uses.map(({ subject, version }) => ({ subject: String(subject), version: Number(version) }))
  }

  /** All versions of a subject, oldest first; empty when there is no such subject. */
  async versionsOf(subject: string): Promise<readonly RegisteredSchema[]> {
    const path = `${subjectPath(subject)}/versions`
    const answer = await this.#http.request('GET', path)
    if (answer.status === 404) return []
    const numbers = this.#accepted(answer, `list subject ${subject}`) as unknown as readonly number[]
    const versions: RegisteredSchema[] = []
    for (const version of numbers.toSorted((a, b) => a - b)) {
      const one = await this.#http.request('GET', `${path}/${version}`)
      const { id, schema } = this.#accepted(one, `return version ${version} of subject ${subject}`)
      versions.push({ subject, version, id: Number(id), text: String(schema) })
    }
    return versions
  }

  /** Whether the schema could be registered. A subject without versions accepts every schema. */
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

  async #setCompatibility(subject: string): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`
    let answer = await this.#http.request('PUT', path, { compatibility })
    // Apicurio answers 409 when another service that starts at the same moment has just set it. A second request succeeds.
    if (answer.status === 409) answer = await this.#http.request('PUT', path, { compatibility })
    if (answer.status !== 404)
      this.#accepted(answer, `set the compatibility of subject ${subject} to ${compatibility}`)
  }

  #accepted(answer: RegistryAnswer, what: string): Json {
    if (answer.status < 300 && typeof answer.body === 'object' && answer.body !== null) {
      return answer.body as Json
    }
    throw new SchemaError(
      'registry-refused',
      `the schema registry at ${this.url} did not ${what}: HTTP ${answer.status}, ${messageOf(answer)}${this.#http.adviceFor(answer.status)}`,
      { status: answer.status },
    )
  }
}

const subjectPath = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`

const messageOf = ({ body }: RegistryAnswer): string => {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined
  return typeof message === 'string' ? message : 'no reason given'
}
