import type { CallersResult } from '../callers.ts'
import { formatTable } from '../table.ts'
import { type ContenderName, contenderNames, durabilityOf } from './contender-names.ts'

export interface Level {
  readonly callers: number
  readonly results: Readonly<Partial<Record<ContenderName, CallersResult>>>
}

export interface AppendResult {
  readonly brokers: 1 | 3
  readonly writers: number
  readonly levels: readonly Level[]
}

const header = ['callers', 'contender', 'appends/s', 'p50 ms', 'p99 ms', 'durability']

/** The table of the append bench. Every row states the durability of its figures. */
export function formatAppend({ brokers, writers, levels }: AppendResult): string {
  const kafka = brokers === 1 ? 'one broker' : 'three brokers'
  const processes = writers === 1 ? 'one writer' : `${writers} writer processes for core and http`
  const rows = levels.flatMap((level) => rowsOf(level, brokers))
  return [
    `${kafka}, ${processes}`,
    formatTable(header, rows, 'text'),
    '',
    ...levels.map((level) => `${level.callers} callers: ${ratios(level).join('; ')}`),
  ].join('\n')
}

const rowsOf = ({ callers, results }: Level, brokers: 1 | 3): readonly (readonly string[])[] =>
  contenderNames.flatMap((name) => {
    const result = results[name]
    if (result === undefined) return []
    const { perSecond, p50Ms, p99Ms } = result
    const figures = [String(perSecond), p50Ms.toFixed(2), p99Ms.toFixed(2)]
    return [[String(callers), name, ...figures, durabilityOf(name, brokers)]]
  })

function ratios({ results }: Level): readonly string[] {
  const { core, http, emmett, umadb, producer, limit } = results
  return [
    compared('core', core, 'Emmett', emmett),
    compared('core', core, 'UmaDB', umadb),
    share('core', core, 'the producer', producer),
    share('core', core, 'the limit', limit),
    compared('HTTP', http, 'Emmett', emmett),
    compared('HTTP', http, 'UmaDB', umadb),
  ].filter((text) => text !== undefined)
}

type Measured = CallersResult | undefined

function compared(name: string, one: Measured, peer: string, other: Measured): string | undefined {
  if (one === undefined || other === undefined) return undefined
  const times = (a: number, b: number) => `${(a / b).toFixed(1)} ×`
  return `${name} ${times(one.perSecond, other.perSecond)} ${peer} (p50 ${times(one.p50Ms, other.p50Ms)})`
}

function share(name: string, part: Measured, of: string, whole: Measured): string | undefined {
  if (part === undefined || whole === undefined) return undefined
  return `${name} ${Math.round((100 * part.perSecond) / whole.perSecond)} % of ${of}`
}
