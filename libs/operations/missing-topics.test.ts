import { expect, test } from 'vitest'

import { checkTopics } from './missing-topics.ts'

const cluster = { clusterId: 'kPXRgdmS', brokers: ['127.0.0.1:9092'] }
const types = (...names: readonly string[]) => names.map((type) => ({ type }))
const topics = (...names: readonly string[]) => names.map((type) => ({ name: `eventstore.${type}` }))

test.each([
  ['all exist', ['a', 'b'], [], ['a', 'b'], []],
  ['one exists, and none was requested', ['a', 'b'], [], ['a'], ['eventstore.b']],
  ['others exist too', ['a'], ['a'], ['a', 'z'], []],
])('%s', (_, domain, asked, there, missing) => {
  expect(checkTopics(types(...domain), asked, topics(...there), cluster)).toEqual(missing)
})

test.each([
  ['a requested type', ['a'], ['a'], ['b'], /no topic eventstore\.a in Kafka cluster kPXRgdmS at 127/],
  ['none exists', ['a', 'b'], [], [], /no topics eventstore\.a, eventstore\.b in Kafka cluster kPXRgdmS/],
  ['no domain', [], [], ['a'], /ANNALS_DOMAIN/],
])('%s: an error', (_, domain, asked, there, message) => {
  expect(() => checkTopics(types(...domain), asked, topics(...there), cluster)).toThrow(message)
})
