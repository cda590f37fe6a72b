import { Value } from '@sinclair/typebox/value'
import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import { EventStoreError, invalidRequest, jsonDepthMax, jsonExcess, jsonPartsMax } from '#event-store'

import { isChange } from './change.ts'

/** Room for `{}` and for those who format it. */
const emptyBodyBytesMax = 1_024

const emptyBody = Type.Object({}, { additionalProperties: false, description: 'Nothing, or `{}`' })

/**
 * Bodies are JSON within bounds, or refused before they are parsed. No body at all is as good as `{}` where nothing is required, and
 * a change that takes no body takes nothing else.
 */
export function takeJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text: string, done) => {
    const excess = jsonExcess(text)
    if (excess !== undefined) done(excesses[excess]())
    else if (text === '') done(null, undefined)
    else void parse(request, text, done)
  })
  app.addHook('onRoute', boundBody)
}

const excesses = {
  'too-deep': () =>
    invalidRequest('', `the body is nested deeper than ${jsonDepthMax} levels: send data that is flatter`),
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
