// A separate process, so that hostile callers take no time from the measuring process: node attack.ts '<JSON>' until
// SIGTERM.
import { hostileCallers } from './callers.ts'
import { type Answers, type Attack, Tally } from './target.ts'

/** The argument of the process. */
export interface AttackOptions extends Attack {
  /** Names of the callers. */
  readonly names: readonly string[]
}

const { names, ...attack } = JSON.parse(process.argv[2] ?? '{}') as AttackOptions
const ending = new AbortController()
process.once('SIGTERM', () => ending.abort())
process.once('disconnect', () => ending.abort())

const tallies = await Promise.all(
  names.map(async (name): Promise<readonly [string, Answers]> => {
    const tally = new Tally()
    await hostileCallers[name]?.run(attack, tally, ending.signal)
    return [name, tally.answers]
  }),
)
process.send?.(Object.fromEntries(tallies), () => process.disconnect())
