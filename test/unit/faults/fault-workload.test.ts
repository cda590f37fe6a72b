import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import type { AppendOperation, Operation } from '../../faults/harness/history.ts'
import { Recorder } from '../../faults/harness/recorder.ts'
import type { Caller } from '../../faults/harness/workload/caller.ts'
import { failedAppend } from '../../faults/harness/workload/caller.ts'
import { Streams } from '../../faults/harness/workload/streams.ts'
import { WorkloadClient } from '../../faults/harness/workload/workload-client.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-workload-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

// Clients pause between calls.
const patient = { timeout: 30_000 }
const calls = 15

/** Runs a client against a system that gives every append the same outcome. Returns the first operations of its history, and its file. */
async function historyOf(
  seed: number,
  outcome: AppendOperation['outcome'],
): Promise<{ readonly history: readonly Operation[]; readonly lines: readonly unknown[] }> {
  const path = join(folder, `${randomUUID()}.ndjson`)
  const recorder = new Recorder(path)
  const enough = new AbortController()
  let made = 0
  const count = <Outcome>(answer: Outcome): Promise<Outcome> => {
    if (++made >= calls) enough.abort()
    return Promise.resolve(answer)
  }
  const caller: Caller = {
    append: (requests) => count(requests.map(() => outcome)),
    read: () => count({ is: 'answered', events: [] } as const),
    state: () => count({ is: 'answered', version: 0, state: null } as const),
    view: () => count({ is: 'answered', view: null } as const),
    close: () => Promise.resolve(),
  }
  const projected = { type: 'customer', lifetime: 'lifetime', monthly: 'monthly' }
  const streams = new Streams(['customer', 'other'])
  await new WorkloadClient({ seed, client: 3, caller, streams, recorder, projected }).run(enough.signal)
  await recorder.close()
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return { history: recorder.history, lines: lines.map((line) => JSON.parse(line) as unknown) }
}

const withoutTimes = (operation: Operation) => ({ ...operation, calledAtMs: 0, endedAtMs: 0 })

test('the same seed makes the same calls; another seed makes others', patient, async () => {
  const refused = { is: 'refused', code: 'wrong-expected-version', actualVersion: 4 } as const
  const [one, same, other] = await Promise.all([7, 7, 8].map((seed) => historyOf(seed, refused)))
  expect(one?.history.map(withoutTimes)).toEqual(same?.history.map(withoutTimes))
  expect(one?.history.map(withoutTimes)).not.toEqual(other?.history.map(withoutTimes))
})

test(
  'a call with an unknown outcome is retried with the same ids, and every try is recorded',
  patient,
  async () => {
    const { history, lines } = await historyOf(7, { is: 'unknown', code: 'outcome-unknown' })
    const appends = history.filter((operation) => operation.kind === 'append')
    const tries = Map.groupBy(appends, ({ streamId, events }) => `${streamId} ${String(events[0]?.id)}`)
    const [several] = [...tries.values()].filter((each) => each.length > 1)
    expect(several?.[1]).toMatchObject({
      events: several?.[0]?.events,
      expectedVersion: several?.[0]?.expectedVersion,
    })
    expect(lines).toHaveLength(history.length)
    expect(new Set(history.map(({ op }) => op)).size).toBe(history.length)
  },
)

test.each([
  ['wrong-expected-version', 'refused'],
  ['unavailable', 'refused'],
  ['outcome-unknown', 'unknown'],
  ['internal', 'unknown'],
  ['ECONNRESET', 'unknown'],
])('an append that fails with %s counts as %s', (code, is) => {
  expect(failedAppend(code).is).toBe(is)
})
