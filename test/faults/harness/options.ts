import { parseArgs } from 'node:util'

import { variantNamed, variants } from './variants/catalogue.ts'

export interface RunOptions {
  readonly seeds: readonly number[]
  readonly minutes: number
  readonly clients: number
  readonly variant: string | undefined
  /** Module of the variant. */
  readonly preload: string | undefined
  /** File for the results as JSON. */
  readonly json: string | undefined
  /** Whether the folders of passed seeds are kept too. */
  readonly keep: boolean
}

export const usage = `npm run faults -- [options]

Runs random workloads against a whole installation, injects faults, and checks that every promise was kept.

  --seeds N      number of seeds, run one after the other (default 20)
  --from N       the first seed (default 1)
  --seed N       only this one
  --minutes N    duration of the faults in each seed (default 1)
  --clients N    number of clients (default 16)
  --variant X    breaks the services on purpose: ${variants.map(({ name }) => name).join(', ')}
  --json FILE    writes the results to a file
  --keep         keeps history and logs of seeds that passed

Exit code 1 if a promise was broken or a seed proved nothing.`

/** @throws Error that names the invalid argument. */
export function readOptions(args: readonly string[]): RunOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '20' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      minutes: { type: 'string', default: '1' },
      clients: { type: 'string', default: '16' },
      variant: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const from = whole('--from', values.from)
  const seeds =
    values.seed === undefined
      ? Array.from({ length: whole('--seeds', values.seeds) }, (_, index) => from + index)
      : [whole('--seed', values.seed)]
  return {
    seeds,
    minutes: positive('--minutes', values.minutes),
    clients: whole('--clients', values.clients),
    variant: values.variant,
    preload: values.variant === undefined ? undefined : variantModule(values.variant),
    json: values.json,
    keep: values.keep,
  }
}

/** @throws Error when there is no such variant. */
export function variantModule(name: string): string {
  return new URL(`variants/preload.ts?variant=${variantNamed(name).name}`, import.meta.url).href
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`${option} ${text}: expected a number above 0`)
}

function whole(option: string, text: string): number {
  const value = positive(option, text)
  if (Number.isSafeInteger(value)) return value
  throw new Error(`${option} ${text}: expected a whole number`)
}
