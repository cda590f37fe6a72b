import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { parseStreamId, partitionFor } from '#domain'

import { redisCommand, repository } from '../../scripts/stack/index.ts'
import { cliWith } from '../support/cli/cli.ts'
import { deleteHead } from '../support/kafka/harmed-topics.ts'
import { type LocalStack, localStack } from './local-stack.ts'

let stack: LocalStack
beforeEach(async () => {
  stack = await localStack()
})
afterEach(() => stack.remove())

const addressOf = (wanted: string): string =>
  stack.state().parts.find(({ name }) => name === wanted)?.address ?? ''

async function append(streamId: string): Promise<number> {
  const data = { date: '2026-01-31', cds: 2, amount: '29.33' }
  const response = await fetch(`${addressOf('Platform')}/streams/${streamId}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ events: [{ type: 'PurchaseMade', data }] }),
  })
  await response.body?.cancel()
  return response.status
}

const partitionOf = (streamId: string): number => partitionFor(parseStreamId(streamId), 8)

test('the stack starts with a dead partition, and the command it suggests repairs it', async () => {
  const first = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(first.output).toContain('Ready after')
  const cut = 'customer.c-1'
  for (let count = 0; count < 3; count++) expect(await append(cut)).toBe(201)
  const others = Array.from({ length: 20 }, (_, index) => `customer.c-${index + 2}`)
  const elsewhere = others.find((streamId) => partitionOf(streamId) !== partitionOf(cut)) ?? ''
  await deleteHead({ env: stack.servers() }, 'eventstore.customer', partitionOf(cut), 2)
  const { port, password } = new URL(stack.servers().ANNALS_REDIS_URL)
  expect(await redisCommand({ host: '127.0.0.1', port: Number(port), password }, 'FLUSHALL')).toContain('OK')
  expect(await stack.run('stop.sh')).toMatchObject({ exitCode: 0 })

  const started = await stack.run('start.sh', ['--detach', '--no-demo'])
  expect(started).toMatchObject({ exitCode: 0 })
  const place = `eventstore.customer/${partitionOf(cut)}`
  expect(started.output).toContain(`Degraded: partitions: ${place} is events-deleted`)
  expect(started.output).toContain('./annals index rebuild customer --accept-deleted-events --yes')
  expect(await append(cut)).toBe(410)
  expect(await append(elsewhere)).toBe(201)

  const annals = cliWith(
    { ANNALS_URL: addressOf('Platform'), ...stack.servers() },
    join(repository, 'annals'),
  )
  const accepted = await annals(['index', 'rebuild', 'customer', '--accept-deleted-events', '--yes'])
  expect(accepted).toMatchObject({ exitCode: 0 })
  expect(await append(cut)).toBe(201)
})
