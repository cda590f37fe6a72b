import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { distFolder, runCommand } from '../../../scripts/stack/index.ts'
import type { CallSamples } from '../../callers.ts'
import type { Load } from '../contender.ts'

const sources = join(import.meta.dirname, 'callers')
const target = join(distFolder, 'umadb-callers')
const buildMsMax = 900_000

/**
 * Starts the callers of UmaDB: a program in Rust, because gRPC in Node.js limits the server. The tag of an event is its
 * stream, and the append fails if an event with this tag exists, like an append with `no-stream`.
 * @param url `http://host:port` of its server
 * @throws StackError when the program cannot be built; it needs cargo
 */
export async function startUmaDbCallers(url: string, say: (line: string) => void): Promise<Load> {
  say('Building the callers of UmaDB with cargo; the first time takes a minute')
  const build = ['build', '--quiet', '--release', '--locked', '--target-dir', target]
  await runCommand('cargo', build, { cwd: sources, timeoutMs: buildMsMax })
  const child = spawn(join(target, 'release/umadb-callers'), [new URL(url).host], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    measure: async (callers, durationMs, run) => {
      child.stdin.write(`${callers} ${durationMs} ${run}\n`)
      const { done, value } = await lines.next()
      return [parseSamples(done === true ? 'failed: the callers of UmaDB have ended' : value)]
    },
    close: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.stdin.end()
      await exited
    },
  }
}

/** @param line the elapsed milliseconds, then the duration of each call @throws Error with the reason of a failure */
export function parseSamples(line: string): CallSamples {
  const [elapsedMs = NaN, ...timesMs] = line.split(' ').map(Number)
  if (!Number.isFinite(elapsedMs)) throw new Error(line)
  return { elapsedMs, timesMs }
}
