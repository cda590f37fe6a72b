/** The parts of an OpenAPI document that the fuzzer reads. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly minimum?: number
  readonly examples?: readonly unknown[]
  readonly example?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
}

/** A request before it is encoded: every part of it can be changed. */
export interface Draft {
  readonly method: string
  /** As sent over the wire. */
  readonly segments: readonly string[]
  readonly query: readonly (readonly [string, string])[]
  readonly headers: readonly (readonly [string, string])[]
  /** Undefined for no body. */
  readonly json: unknown
}

/** A route, and a request that it accepts. */
export interface FuzzedRoute {
  /** `POST /streams/{id}/events` */
  readonly name: string
  readonly valid: Draft
}

/** Values that exist in the service under test, by the name of the field. */
type KnownValues = (name: string, path: string) => unknown

/** All routes of the document, each with a valid request from its schemas, its examples and the known values. */
export function routesOf(document: unknown, known: KnownValues): FuzzedRoute[] {
  const { paths } = document as Document
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      valid: draftOf(path, method, operation, (name) => known(name, path)),
    })),
  )
}

function draftOf(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
  known: (name: string) => unknown,
): Draft {
  const within = (place: Parameter['in']) =>
    parameters.filter((parameter) => parameter.in === place).map((each) => [each.name, each.schema] as const)
  const body = Object.values(requestBody?.content ?? {})[0]?.schema
  const text = (name: string, schema: Schema) => String(known(name) ?? sampleOf(schema, known))
  return {
    method: method.toUpperCase(),
    segments: path
      .split('/')
      .slice(1)
      .map((segment) =>
        segment.replace(/\{(\w+)\}/, (_, name: string) => encodeURIComponent(text(name, { type: 'string' }))),
      ),
    query: within('query').map(([name, schema]) => [name, encodeURIComponent(text(name, schema))]),
    headers: within('header').map(([name, schema]) => [name, text(name, schema)]),
    json: body === undefined ? undefined : sampleOf(body, known),
  }
}

function sampleOf(schema: Schema, known: (name: string) => unknown): unknown {
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties)
    return Object.fromEntries(fields.map(([name, part]) => [name, known(name) ?? sampleOf(part, known)]))
  }
  if (schema.items !== undefined) return [sampleOf(schema.items, known)]
  const given = schema.examples?.[0] ?? schema.example ?? schema.enum?.[0]
  if (given !== undefined) return given
  if (schema.anyOf?.[0] !== undefined) return sampleOf(schema.anyOf[0], known)
  return { integer: schema.minimum ?? 1, number: 1.5, boolean: true, object: {} }[schema.type ?? ''] ?? 'text'
}
