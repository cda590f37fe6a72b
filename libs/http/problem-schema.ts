import { Type } from '@sinclair/typebox'

import { type ErrorCode, errorTable, type Retry } from '#event-store'

const codes = Object.keys(errorTable)

/**
 * The members that all problems have, and the optional details. For documentation only: problems are serialised as
 * they are.
 */
export const problemProperties = {
  type: Type.String({ examples: ['urn:annals:problem:wrong-expected-version'] }),
  title: Type.String({ examples: [errorTable['wrong-expected-version'].title] }),
  detail: Type.String({ description: 'What is wrong, where, and what to do' }),
  code: Type.String({ description: `One of ${codes.join(', ')}`, examples: ['wrong-expected-version'] }),
  retry: Type.Unsafe<Retry>({
    type: 'string',
    enum: ['never', 'reload', 'same-ids'],
    description:
      'How to retry: not at all (never), after loading and deciding again (reload), or by sending the same events with the same ids (same-ids)',
  }),
  path: Type.Optional(Type.String({ description: 'The invalid field', examples: ['events[0].data.amount'] })),
  expected: Type.Optional(Type.Unknown({ description: 'The version that the append expected' })),
  actual: Type.Optional(Type.Integer({ description: 'The version of the stream' })),
  known: Type.Optional(
    Type.Array(Type.String(), { description: 'Ids of events that are already in the stream' }),
  ),
  retryAfterSeconds: Type.Optional(Type.Number({ description: 'When to retry' })),
}

const problemSchema = Type.Object(
  { status: Type.Integer({ examples: [409] }), ...problemProperties },
  { title: 'Problem', description: 'RFC 9457' },
)

/** The responses of a route that can fail with these codes, by status, for its schema. */
export function problemResponses(...expected: readonly ErrorCode[]) {
  const titles = new Map<number, string[]>()
  for (const code of [...expected, 'internal'] as const) {
    const { httpStatus, title } = errorTable[code]
    titles.set(httpStatus, [...(titles.get(httpStatus) ?? []), `\`${code}\`: ${title}`])
  }
  return Object.fromEntries(
    [...titles].map(([status, lines]) => [
      status,
      { description: lines.join('. '), content: { 'application/problem+json': { schema: problemSchema } } },
    ]),
  )
}
