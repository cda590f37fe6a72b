import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { expect, test, vi } from 'vitest'

// Each test starts a process, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

const script = fileURLToPath(new URL('testing/shutdown-process.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly messages: readonly string[]
}

/** Runs the process; sends a signal at each line that `signals` names. */
async function run(
  steps: readonly string[],
  signals: Readonly<Record<string, NodeJS.Signals>> = {},
  deadlineMs = 10_000,
): Promise<Ended> {
  const child = spawn(process.execPath, [script, ...steps], {
    env: { ...process.env, DEADLINE_MS: String(deadlineMs) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const messages: string[] = []
  const ended = once(child, 'exit') as Promise<[number | null]>
  for await (const line of createInterface(child.stdout)) {
    const { msg } = JSON.parse(line) as { msg: string }
    messages.push(msg)
    const signal = signals[msg]
    if (signal !== undefined) child.kill(signal)
  }
  const [code] = await ended
  return { code, messages }
}

test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])(
  '%s closes in reverse order of opening, and exits with 0',
  async (signal) => {
    expect(await run(['ok:kafka', 'ok:redis', 'ok:http'], { ready: signal })).toEqual({
      code: 0,
      messages: ['ready', 'shutting down', 'closing http', 'closing redis', 'closing kafka', 'shut down'],
    })
  },
)

test('a shutdown can begin without a signal', async () => {
  expect(await run(['ok:http', 'begin'])).toEqual({
    code: 0,
    messages: ['ready', 'shutting down', 'closing http', 'shut down'],
  })
})

test('a failing step does not prevent the others, and the process exits with 1', async () => {
  const { code, messages } = await run(['ok:kafka', 'fails:redis', 'ok:http'], { ready: 'SIGTERM' })
  expect(code).toBe(1)
  expect(messages).toContain('closing kafka')
  expect(messages).toContain('a step of the shutdown failed')
  expect(messages).not.toContain('shut down')
})

test('a shutdown that takes too long exits with 1 at its deadline', async () => {
  const startedAtMs = performance.now()
  const { code, messages } = await run(['ok:kafka', 'hangs:http'], { ready: 'SIGTERM' }, 100)
  expect(performance.now() - startedAtMs).toBeLessThan(9_000)
  expect(code).toBe(1)
  expect(messages.at(-1)).toBe('not shut down within 100 ms: exiting')
  expect(messages).not.toContain('closing kafka')
})

test('a second signal ends the process at once, with 1', async () => {
  const { code, messages } = await run(['hangs:http'], { ready: 'SIGINT', 'closing http': 'SIGINT' })
  expect(code).toBe(1)
  expect(messages.at(-1)).toBe('second SIGINT: exiting at once')
})

test('an uncaught error is logged, everything is closed, and the process exits with 1', async () => {
  const { code, messages } = await run(['ok:http', 'throws'])
  expect(code).toBe(1)
  expect(messages).toEqual([
    'ready',
    'shutting down because of an uncaught error',
    'closing http',
    'shut down',
  ])
})
