import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { RecordCodec, schemaVersionOf } from '#schemas'

import { callableWriter } from '../../support/http/http-call.ts'

/** Inputs that once revealed a bug. */
const input = (name: string): Buffer => readFileSync(`test/cases/${name}`)

const schemaOf = (name: string) => {
  const schema = JSON.parse(input(`race/${name}.v1.avsc.json`).toString()) as Record<string, unknown>
  return schemaVersionOf({ file: `race/${name}.v1.avsc`, aggregateType: 'race', name, version: 1 }, schema)
}

test('a field named constructor is rejected with its schema', () => {
  expect(() => schemaOf('CarEntered')).toThrow('a field cannot be named constructor')
})

test('a float beyond 32 bits does not become infinity', () => {
  const { events } = JSON.parse(input('float-overflow.json').toString()) as { events: { data: unknown }[] }
  const codec = new RecordCodec(schemaOf('Evolved'))
  expect(() => codec.encode(1, events[0]?.data)).toThrow('data.f: expected a number of 32 bits')
})

test('a body in latin-1 is rejected', async () => {
  const { url } = await callableWriter()
  const headers = { 'content-type': 'application/json' }
  const request = { method: 'POST', headers, body: Uint8Array.from(input('latin1-body.json')) }
  const answer = await fetch(`${url}/streams/probe.1/events`, request)
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ code: 'invalid-request' })
})
