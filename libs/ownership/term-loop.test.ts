import pino from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { LogError, type LogOutcome } from '#kafka'

import { TermLoop } from './term-loop.ts'
import type { TermContext, TermWork } from './term-work.ts'

const place = { topic: 'eventstore.order', partition: 3 }

/** Work that records its steps and fails as the test requires. */
class WorkDouble implements TermWork<number> {
  readonly steps: string[] = []
  terms = 0
  readonly atMs: number[] = []
  outcome: LogOutcome | 'broken' | undefined
  failsIn: 'prepare' | 'takeOver' | 'catchUp' | 'serve' = 'serve'

  prepare(): Promise<void> {
    this.atMs.push(performance.now())
    return this.#step('prepare')
  }

  async takeOver(): Promise<number> {
    this.terms++
    await this.#step('takeOver')
    return this.terms
  }

  async catchUp(): Promise<void> {
    await this.#step('catchUp')
  }

  async serve(_: number, { signal, serving }: TermContext): Promise<void> {
    await this.#step('serve')
    serving()
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }

  end(): void {
    this.steps.push('end')
  }

  handBack(): void {
    this.steps.push('handBack')
  }

  #step(name: WorkDouble['failsIn']): Promise<void> {
    this.steps.push(name)
    if (this.failsIn !== name || this.outcome === undefined) return Promise.resolve()
    const { outcome } = this
    return Promise.reject(
      outcome === 'broken' ? new Error('broken') : new LogError(outcome, `it is ${outcome}`),
    )
  }
}

const took = vi.fn()

function running(outcome?: LogOutcome | 'broken', failsIn: WorkDouble['failsIn'] = 'serve') {
  const work = new WorkDouble()
  Object.assign(work, { outcome, failsIn })
  const loop = new TermLoop({ place, work, onTookOver: took, logger: pino({ level: 'silent' }) })
  loop.start()
  return { work, loop }
}

beforeEach(() => {
  vi.useFakeTimers()
  took.mockClear()
})
afterEach(() => {
  vi.useRealTimers()
})

test('takes over, catches up and serves; ends the term and hands back when it stops', async () => {
  const { work, loop } = running()
  await vi.advanceTimersByTimeAsync(0)
  expect(work.steps).toEqual(['prepare', 'takeOver', 'catchUp', 'serve'])
  expect([loop.isServing, loop.isOwner, loop.term, loop.trouble]).toEqual([true, true, 1, undefined])
  expect(took).toHaveBeenCalledOnce()
  await loop.stop()
  expect(work.steps.slice(4)).toEqual(['end', 'handBack'])
  expect([loop.isServing, loop.isOwner, loop.term]).toEqual([false, false, undefined])
})

test.for(['prepare', 'takeOver', 'catchUp', 'serve'] as const)(
  'stops immediately during the back-off after a failure of %s, and leaves no timer',
  async (failsIn) => {
    const { loop } = running('unavailable', failsIn)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(loop.isServing).toBe(false)
    expect(loop.trouble).toMatchObject({ code: 'unavailable', message: 'it is unavailable' })
    await loop.stop()
    expect(vi.getTimerCount()).toBe(0)
  },
)

test('a failure that keeps the fence starts no new term: the same term catches up again', async () => {
  const { work, loop } = running('broken')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(work.terms).toBe(1)
  expect(work.steps.filter((step) => step === 'catchUp').length).toBeGreaterThan(10)
  work.outcome = undefined
  await vi.advanceTimersByTimeAsync(5_000)
  expect([loop.isServing, loop.trouble, work.terms]).toEqual([true, undefined, 1])
  await loop.stop()
})

test('retries back off up to their bound, and no term starts while its work cannot be done', async () => {
  const { work, loop } = running('unavailable', 'prepare')
  await vi.advanceTimersByTimeAsync(60_000)
  const delays = work.atMs.slice(1).map((atMs, index) => atMs - (work.atMs[index] ?? 0))
  expect(delays[0]).toBeLessThanOrEqual(101)
  expect(delays.slice(-3).every((ms) => ms >= 2_500 && ms <= 5_001)).toBe(true)
  expect(work.terms).toBe(0)
  await loop.stop()
})

test.for(['fenced', 'unknown', 'take-over', 'log-replaced'] as const)(
  'terms that always end as %s spend ten epochs at once, then at most three a minute',
  async (outcome) => {
    const { work, loop } = running(outcome)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(work.terms).toBeGreaterThan(30)
    expect(work.terms).toBeLessThanOrEqual(10 + 3 * 60)
    expect(work.steps.filter((step) => step === 'end')).toHaveLength(work.terms)
    await loop.stop()
  },
)

test('a fenced owner hands back, pauses for the new owner, and then takes over again', async () => {
  const { work, loop } = running('fenced')
  await vi.advanceTimersByTimeAsync(2_900)
  expect(work.steps).toEqual(['prepare', 'takeOver', 'catchUp', 'serve', 'end', 'handBack'])
  expect(loop.isOwner).toBe(false)
  work.outcome = undefined
  await vi.advanceTimersByTimeAsync(200)
  expect([loop.isOwner, loop.isServing, work.terms]).toEqual([true, true, 2])
  await loop.stop()
})

test.for(['log-replaced', 'events-deleted'] as const)(
  'a partition that is %s waits for an operator, is listed with its state, and is served again afterwards',
  async (outcome) => {
    const { work, loop } = running(outcome, 'catchUp')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(loop.waiting).toEqual({ ...place, state: outcome, reason: `it is ${outcome}` })
    work.outcome = undefined
    await vi.advanceTimersByTimeAsync(2_000)
    expect([loop.waiting, loop.isServing]).toEqual([undefined, true])
    await loop.stop()
  },
)
