import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommand } from '../../scripts/stack/index.ts'
import type { ModelRun } from './runs.ts'

const fileOf = ({ model = 'write-path' }: ModelRun) => new URL(`${model}.pml`, import.meta.url).pathname
const buildMsMax = 60_000
const searchMsMax = 600_000
/** Memory and depth that no run needs. A search that reaches them is incomplete and counts as failed. */
const memoryMbMax = 4_000
const depthMax = 1_000_000

interface ModelResult {
  readonly states: number
  /** The failed assertion, if there is one. */
  readonly violated?: string
}

/**
 * Searches all states of a model within the bounds with Spin.
 * @throws Error when the search is incomplete: nothing is proven then
 */
export async function runModel(run: ModelRun): Promise<ModelResult> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-model-'))
  try {
    await runCommand('spin', ['-a', ...switches(run), fileOf(run)], { cwd: folder, timeoutMs: buildMsMax })
    // Within these bounds an optimizing compiler takes longer than it saves.
    const compiler = ['-O0', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${memoryMbMax}`, '-o', 'pan', 'pan.c']
    await runCommand('gcc', compiler, { cwd: folder, timeoutMs: buildMsMax })
    // -E: a state in which every process waits forever is valid, because the events of the model are limited.
    const search = [`-m${depthMax}`, '-E']
    return read(await runCommand('./pan', search, { cwd: folder, timeoutMs: searchMsMax }), run)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const switches = ({ bounds, reads = false, broken }: ModelRun): string[] => [
  ...Object.entries(bounds).map(([name, value]) => `-D${name}=${value}`),
  ...(reads ? ['-DREADS'] : []),
  ...(broken === undefined ? [] : [`-D${broken}`]),
]

function read(output: string, { name }: ModelRun): ModelResult {
  const states = Number(/(\S+) states, stored/.exec(output)?.[1])
  const violated = /assertion violated\s+(.*) \(at depth/.exec(output)?.[1]
  if (violated !== undefined) return { states, violated }
  const isWhole = /errors: 0/.test(output) && !/max search depth too small|Search not completed/.test(output)
  if (isWhole && Number.isFinite(states)) return { states }
  throw new Error(`the search of "${name}" is incomplete:\n${output.slice(-2_000)}`)
}
