import { Value } from '@sinclair/typebox/value'
import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import { checkJsonValue } from '#domain'
import { EventStoreError, invalidRequest, jsonDepthMax, jsonExcess, jsonPartsMax } from '#event-store'

import { isChange } from './change.ts'

/** Enough for `{}` and its formatted variants. */
const emptyBodyBytesMax = 1_024

const emptyBody = Type.Object({}, { additionalProperties: false, description: 'Nothing, or `{}`' })

/**
 * Accepts bodies that are JSON in UTF-8 and within bounds; anything else is rejected before it is parsed. A missing
 * body counts as `{}` where nothing is required. A change that takes no body accepts nothing else.
 */
export function takeJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes: Buffer, done) => {
    try {
      done(null, parseBody(bytes))
    } catch (error) {
      done(error as Error)
    }
  })
  app.addHook('onRoute', boundBody)
}

/** Rejects invalid bytes, and removes a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Possibly `__proto__`, also with escapes. */
const mayContainProto = /__proto__|\\u00(?:5f|6f|7[024])/i

function parseBody(bytes: Buffer): unknown {
  const text = textOf(bytes)
  if (text === '') return undefined
  const excess = jsonExcess(text)
  if (excess !== undefined) throw excesses[excess]()
  const body = bodyOf(text)
  if (mayContainProto.test(text)) checkJsonValue(body, '')
  return body
}

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw malformed(
      'the body is not UTF-8: expected JSON in UTF-8, whatever charset the text came from',
      cause,
    )
  }
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('the body is not valid JSON', cause)
  }
}

const malformed = (message: string, cause: unknown): EventStoreError =>
  new EventStoreError('invalid-request', message, {}, { cause })

const excesses = {
  'too-deep': () =>
    invalidRequest('', `the body is nested deeper than ${jsonDepthMax} levels: flatten the data`),
  'too-many-parts': () =>
    new EventStoreError(
      'append-too-large',
      `the body has more than ${jsonPartsMax} values and names: send fewer events in one request`,
    ),
}

function boundBody(route: RouteOptions): void {
  if (![route.method].flat().some(isChange)) return
  const body = (route.schema?.body as TSchema | undefined) ?? emptyBody
  if (body === emptyBody) route.bodyLimit = emptyBodyBytesMax
  route.schema = { ...route.schema, body }
  if (Value.Check(body, {})) route.preValidation = [absentBodyIsEmpty, route.preValidation ?? []].flat()
}

function absentBodyIsEmpty(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.body ??= {}
  done()
}
