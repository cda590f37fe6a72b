/** The parts of an OpenAPI 3.1 document that the reference uses. */
export interface HttpDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: string | number | boolean
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
}

const problemType = 'application/problem+json'

/** A page of Markdown: every route with its parameters, its body and its responses, by tag. */
export function httpReference({ paths }: HttpDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      tag: operation.tags?.[0] ?? 'others',
      operation,
    })),
  )
  const byTag = [...Map.groupBy(operations, ({ tag }) => tag)]
  const problem = operations.flatMap(({ operation }) => problemsOf(operation))[0]
  return [
    '# HTTP API',
    'Generated from the OpenAPI document by `npm run docs:reference`; the services serve the document at `/openapi.json`, and an interactive page at `/docs`.',
    ...byTag.flatMap(([tag, own]) => [
      `## ${capitalized(tag)}`,
      ...own.flatMap((one) => section(one.name, one.operation)),
    ]),
    '## Problems',
    `Every error is a problem document (RFC 9457, \`${problemType}\`). [Errors and retries](../guide/errors.md) has the table of codes.`,
    ...(problem === undefined ? [] : [fieldTable(problem)]),
  ].join('\n\n')
}

function section(
  name: string,
  { summary, description, parameters, requestBody, responses }: Operation,
): string[] {
  const body = schemaOf(requestBody?.content)
  return [
    `### \`${name}\``,
    [summary && `${summary}.`, description].filter(Boolean).join(' '),
    ...(parameters?.length ? [parameterTable(parameters)] : []),
    ...(body ? ['Body:', fieldTable(body)] : []),
    table(
      ['answer', 'what'],
      Object.entries(responses).map(([status, answer]) => [status, answer.description]),
    ),
    ...answerFields(responses),
  ].filter((part) => part !== '')
}

/** Fields of the first successful response that has any. Further ones have the same. */
function answerFields(responses: Operation['responses']): string[] {
  const schema = Object.values(responses)
    .map(({ content }) => (content?.[problemType] ? undefined : schemaOf(content)))
    .find((candidate) => candidate !== undefined && rows(candidate).length > 0)
  return schema === undefined ? [] : ['Answer:', fieldTable(schema)]
}

const problemsOf = ({ responses }: Operation): Schema[] =>
  Object.values(responses).flatMap(({ content }) => content?.[problemType]?.schema ?? [])

const schemaOf = (content: Content | undefined): Schema | undefined => Object.values(content ?? {})[0]?.schema

const parameterTable = (parameters: readonly Parameter[]): string =>
  table(
    ['parameter', 'in', 'type', 'what'],
    parameters.map((parameter) => [
      code(parameter.name) + (parameter.required ? '' : '?'),
      parameter.in,
      typeOf(parameter.schema ?? {}),
      parameter.description ?? parameter.schema?.description ?? '',
    ]),
  )

const fieldTable = (schema: Schema): string => table(['field', 'type', 'what'], rows(schema))

/** One row per field; fields of nested objects and arrays by their path. */
function rows(schema: Schema, path = ''): string[][] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const here = path === '' ? name : `${path}.${name}`
    const inner = field.items ?? field
    const row = [code(here) + (required.has(name) ? '' : '?'), typeOf(field), field.description ?? '']
    return [row, ...rows(inner, field.items ? `${here}[]` : here)]
  })
}

function typeOf(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.items) return `array of ${typeOf(schema.items)}`
  const limits = [
    schema.minimum === undefined ? undefined : `≥ ${schema.minimum}`,
    schema.maximum === undefined ? undefined : `≤ ${schema.maximum}`,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter((limit) => limit !== undefined)
  const name = [schema.type ?? 'any'].flat().join(' or ')
  return limits.length === 0 ? name : `${name} (${limits.join(', ')})`
}

const code = (text: string): string => `\`${text}\``

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const table = (heads: readonly string[], body: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...body]
    .map(
      (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`,
    )
    .join('\n')
