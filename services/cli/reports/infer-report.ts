import { formatSchema, type Inference, type InferredSchema, type InferRequest } from '#operations'
import type { ProposedField } from '#schemas'

import type { CommandReport } from '../cli.ts'
import { grouped } from '../progress/progress-text.ts'
import { table } from '../table.ts'

/** The report of schema inference: the proposed schemas and what to do with them. */
export function inferReport(inference: Inference, request: InferRequest): CommandReport {
  const { lines, others, unreadable, firstProblem, schemas, status } = inference
  const problem = firstProblem && { line: firstProblem.line, message: firstProblem.message }
  const isInterrupted = status === 'interrupted'
  // An interrupted inference writes no file.
  const isWriting = request.isWriting && !isInterrupted
  const hasFailed = schemas.length === 0 || schemas.some((each) => each.problem !== undefined)
  return {
    document: {
      ...{ lines, others, unreadable, firstProblem: problem, schemas },
      ...{ isInterrupted, written: isWriting },
    },
    text: [
      ...schemas.map((each) => schemaText(each, isWriting)),
      ...summary(inference, request, isWriting),
    ].join('\n\n'),
    exitCode: isInterrupted ? 130 : hasFailed ? 1 : 0,
  }
}

function schemaText(inferred: InferredSchema, isWriting: boolean): string {
  const { eventType, events, file, fields, schema, problem } = inferred
  const head = `${eventType}, from ${grouped(events)} events`
  const fieldTable = table(['field', 'type', 'values', 'null', 'missing', 'remark'], fields.map(row))
  if (problem !== undefined) return `${head}\n${fieldTable}\nNot a schema: ${problem}`
  return `${head}\n${fieldTable}\n${isWriting ? `written to ${file}` : `${file}:\n${formatSchema(schema).trimEnd()}`}`
}

const row = ({ path, type, isNullable, values, nulls, absent, remark = '' }: ProposedField) => [
  path,
  isNullable ? `${type}, or null` : type,
  ...[values - nulls, nulls, absent].map(grouped),
  remark,
]

function summary(inference: Inference, { aggregateType, from }: InferRequest, isWriting: boolean): string[] {
  const { lines, others, unreadable, firstProblem, schemas, status } = inference
  const read = `${grouped(lines)} lines of ${from.file} were read${status === 'interrupted' ? ', not all of them' : ''}`
  const counts = [
    read,
    ...(others > 0 ? [`lines of aggregate types other than ${aggregateType}: ${grouped(others)}`] : []),
    ...(unreadable > 0
      ? [
          `lines that are not events: ${grouped(unreadable)}, the first is line ${firstProblem?.line}: ${firstProblem?.message}`,
        ]
      : []),
  ].join('; ')
  if (schemas.length === 0) return [`${counts}. Nothing to propose: no event of ${aggregateType} was found.`]
  const next = isWriting
    ? 'Read the files before you release them (npm run schemas:release): events are stored permanently.'
    : 'Nothing was written: add --write to write the files.'
  return [`${counts}. A proposal covers only what the events show: review each type and correct it. ${next}`]
}
