import { parseArgs } from 'node:util'

import { variantNamed, variants } from './variants/catalogue.ts'

export interface RunOptions {
  readonly seeds: readonly number[]
  readonly minutes: number
  readonly clients: number
  readonly variant: string | undefined
  /** Module of the variant. */
  readonly preload: string | undefined
  /** Where the results go as JSON. */
  readonly json: string | undefined
  /** Whether the folders of seeds that passed are kept, too. */
  readonly keep: boolean
}

export const usage = `npm run faults -- [options]

Runs random workloads against a whole installation while faults strike it, and checks that every promise was kept.

  --seeds N      so many seeds, one after the other (default 20)
  --from N       the first of them (default 1)
  --seed N       only this one
  --minutes N    how long faults strike in each seed (default 1)
  --clients N    (default 16)
  --variant X    breaks the services on purpose: ${variants.map(({ name }) => name).join(', ')}
  --json FILE    writes the results there
  --keep         keeps history and logs of seeds that passed

Exit code 1 where a promise was broken or a seed proved nothing.`

/** @throws Error that says what is wrong with the arguments. */
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
