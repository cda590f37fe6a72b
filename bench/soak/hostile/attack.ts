// A process of its own, so that hostile callers take no time of those who measure: node attack.ts '<JSON>' until SIGTERM.
import { hostileCallers } from './callers.ts'
import { type Answers, type Attack, Tally } from './target.ts'

/** What the process is given. */
export interface AttackOptions extends Attack {
  /** Of the callers. */
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
