import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { aggregateTypeOf } from '#domain'
import { Observed, type Proposal, proposeSchema, schemaVersionOf } from '#schemas'

import { OperationError } from '../operation-error.ts'
import type { Draft } from '../import/imported-line.ts'
import { LineProblem } from '../import/imported-line.ts'
import { type EventFile, readDrafts } from '../import/read-events.ts'
import { type JobControl, PhaseProgress, timed } from '../job-control.ts'
import { sizeOf } from '../open-file.ts'

export interface InferRequest {
  readonly from: EventFile
  readonly aggregateType: string
  /** The folder for schema files. */
  readonly folder: string
  readonly isWriting: boolean
}

/** The proposal for one event type. */
export interface InferredSchema extends Proposal {
  readonly eventType: string
  readonly events: number
  /** The path of its file. */
  readonly file: string
  /** Why it is not a valid schema: `a field cannot be named …`. */
  readonly problem?: string
}

export interface Inference {
  readonly schemas: readonly InferredSchema[]
  readonly lines: number
  /** Lines of other aggregate types. */
  readonly others: number
  /** Lines that are not events. */
  readonly unreadable: number
  /** The problem of the first such line. */
  readonly firstProblem: LineProblem | undefined
  /** `interrupted`: only a part of the file was read, and nothing was written. */
  readonly status: 'inferred' | 'interrupted'
  readonly tookMs: number
}

/** The maximum of event types. More are most likely a column that is not an event type. */
const eventTypesMax = 200

/**
 * Proposes a schema for each event type of an aggregate type, from the events in a file.
 * @throws OperationError `invalid-request` if the file cannot be read, or a schema file already exists
 */
export function inferSchemas(request: InferRequest, control: JobControl<'reading'>): Promise<Inference> {
  return timed(() => inferAll(request, control))
}

async function inferAll(
  request: InferRequest,
  control: JobControl<'reading'>,
): Promise<Omit<Inference, 'tookMs'>> {
  const samples = new Samples(request.aggregateType)
  const { signal } = control
  const size = await sizeOf(request.from.file)
  const progress = new PhaseProgress(control, { phase: 'reading', unit: 'bytes' }, size)
  for await (const line of readDrafts(request.from, (bytes) => progress.advance(bytes))) {
    if (signal.aborted) break
    samples.add(line)
  }
  const schemas = [...samples.byType].map(([eventType, data]) => inferred(eventType, data, request))
  if (request.isWriting && !signal.aborted) await writeAll(schemas)
  return { ...samples.counts(), schemas, status: signal.aborted ? 'interrupted' : 'inferred' }
}

/** The data of each event type. */
class Samples {
  readonly byType = new Map<string, Observed>()
  readonly #aggregateType: string
  #lines = 0
  #others = 0
  #unreadable = 0
  #firstProblem: LineProblem | undefined

  constructor(aggregateType: string) {
    this.#aggregateType = aggregateType
  }

  add(line: (Draft & { readonly line: number }) | LineProblem): void {
    this.#lines++
    if (line instanceof LineProblem) this.#note(line)
    else if (aggregateTypeOf(line.streamId) !== this.#aggregateType) this.#others++
    else if (!isObject(line.data)) this.#note(new LineProblem(line.line, 'data is not an object'))
    else this.#observed(line.type).add(line.data)
  }

  counts() {
    return {
      lines: this.#lines,
      others: this.#others,
      unreadable: this.#unreadable,
      firstProblem: this.#firstProblem,
    }
  }

  #note(problem: LineProblem): void {
    this.#unreadable++
    this.#firstProblem ??= problem
  }

  #observed(eventType: string): Observed {
    const known = this.byType.get(eventType)
    if (known !== undefined) return known
    if (this.byType.size >= eventTypesMax) {
      throw new OperationError(
        'invalid-request',
        `the file has more than ${eventTypesMax} event types: is ${eventType} really one?`,
      )
    }
    const fresh = new Observed()
    this.byType.set(eventType, fresh)
    return fresh
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function inferred(
  eventType: string,
  data: Observed,
  { aggregateType, folder }: InferRequest,
): InferredSchema {
  const proposal = proposeSchema(aggregateType, eventType, data)
  const file = join(folder, aggregateType, `${eventType}.v1.avsc`)
  const found = { ...proposal, eventType, events: data.count, file }
  if (data.hasFurtherMembers) {
    const problem = `its data has more than ${data.members.size} different fields: move keys that are not field names to a nested object, which becomes a map`
    return { ...found, problem }
  }
  try {
    schemaVersionOf({ file, aggregateType, name: eventType, version: 1 }, proposal.schema)
    return found
  } catch (error) {
    return { ...found, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Writes all files, or none if one already exists. */
async function writeAll(schemas: readonly InferredSchema[]): Promise<void> {
  const there = schemas.filter(({ file }) => existsSync(file)).map(({ file }) => file)
  if (there.length > 0) {
    throw new OperationError(
      'invalid-request',
      `${there.join(', ')}: already exists, and is not replaced. Move it away to write a new proposal`,
    )
  }
  for (const { schema, file, problem } of schemas) {
    if (problem !== undefined) continue
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, formatSchema(schema), { flag: 'wx' })
  }
}

/** The text of a schema file. */
export const formatSchema = (schema: object): string => `${JSON.stringify(schema, undefined, 2)}\n`
