import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runCommand } from '../../scripts/stack/index.ts'
import type { ModelRun } from './runs.ts'

const fileOf = ({ model = 'write-path' }: ModelRun) => new URL(`${model}.pml`, import.meta.url).pathname
const buildMsMax = 60_000
const searchMsMax = 600_000
/** Memory and depth that no run needs; where one does, the search is not whole and counts as failed. */
const memoryMbMax = 4_000
const depthMax = 1_000_000

export interface ModelResult {
  readonly states: number
  /** The assertion that fails, where one does. */
  readonly violated?: string
}

/**
 * Has Spin search all states of a model within the bounds.
 * @throws Error where the search does not come to an end: then nothing is proven.
 */
export async function runModel(run: ModelRun): Promise<ModelResult> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-model-'))
  try {
    await runCommand('spin', ['-a', ...switches(run), fileOf(run)], { cwd: folder, timeoutMs: buildMsMax })
    // Within these bounds an optimizing compiler takes longer than it saves.
    const compiler = ['-O0', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${memoryMbMax}`, '-o', 'pan', 'pan.c']
    await runCommand('gcc', compiler, { cwd: folder, timeoutMs: buildMsMax })
    // -E: that everybody may wait for good is no fault of a model whose events run out.
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
  throw new Error(`the search of "${name}" did not come to its end:\n${output.slice(-2_000)}`)
}
