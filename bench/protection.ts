import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

import type { AccessDocument } from '#access'
import { newApiKey } from '#authentication'
import { AnnalsClient } from '#client'

import { CertificateAuthority, writeCertified } from '../test/support/tls/certificates.ts'
import { type BenchStack, startBenchStack } from './bench-stack.ts'
import { measureCallers } from './callers.ts'
import { type Closing, withClosing } from './closing.ts'
import { startService } from './contenders/service-process.ts'
import { appended } from './domain/domain.ts'
import { type Bench, median, percentile } from './measure.ts'
import { formatTable } from './table.ts'

const rounds = 12
const levels = [64, 256]
const warmUpMs = 1_000
const durationMs = 2_500

/** Each has a writer of its own, in a process of its own, with a topic of its own. */
const variants = {
  open: { type: 'bench-http', hasKeys: false, hasTls: false },
  keys: { type: 'bench-keys', hasKeys: true, hasTls: false },
  TLS: { type: 'bench-tls', hasKeys: false, hasTls: true },
  'keys and TLS': { type: 'bench-keys-tls', hasKeys: true, hasTls: true },
} as const
type Variant = keyof typeof variants
const names = Object.keys(variants) as readonly Variant[]

interface Figures {
  /** Appends per second; median. */
  readonly perSecond: number
  /** Of the rate of the open writer in the same round: median and quartiles. */
  readonly ofOpen: readonly [number, number, number]
}

interface Result {
  readonly levels: readonly {
    readonly callers: number
    readonly variants: Readonly<Record<Variant, Figures>>
  }[]
  /** Load average of the machine before each round. */
  readonly loads: readonly number[]
}

/** What API keys and TLS cost: appends through the SDK to four writers in turn, compared within each round. */
export const protection: Bench<Result> = {
  run: (say) =>
    withClosing(async (closing) => {
      const stack = await startBenchStack(say)
      closing(() => stack.close())
      const clients = await startVariants(stack, closing)
      const measured: Result['levels'][number][] = []
      const loads: number[] = []
      for (const callers of levels) {
        const rates: Record<Variant, number[]> = { open: [], keys: [], TLS: [], 'keys and TLS': [] }
        for (let round = 0; round < rounds; round++) {
          loads.push(loadavg()[0] ?? 0)
          say(`${callers} callers, round ${round + 1} of ${rounds} …`)
          for (const name of inTurn(round)) rates[name].push(await rateOf(clients[name], name, callers))
        }
        measured.push({ callers, variants: figuresOf(rates) })
      }
      return { levels: measured, loads }
    }),
  format,
}

/** Each variant is the first, the second and so on in equally many rounds. */
const inTurn = (round: number): readonly Variant[] =>
  names.map((_, index) => names[(index + round) % names.length] as Variant)

async function startVariants(stack: BenchStack, closing: Closing): Promise<Record<Variant, AnnalsClient>> {
  const folder = mkdtempSync(join(tmpdir(), 'annals-protection-'))
  closing(() => rmSync(folder, { recursive: true, force: true }))
  const authority = await CertificateAuthority.create()
  const { certFile, keyFile } = await writeCertified(folder, 'server', await authority.server())
  const accessFile = join(folder, 'access.json')
  const { entry, key } = newApiKey({ name: 'bench', roles: ['service'] })
  const document: AccessDocument = { roles: {}, keys: [entry], certificates: [] }
  writeFileSync(accessFile, JSON.stringify(document), { mode: 0o600 })
  const keySettings = {
    ANNALS_ACCESS: 'file',
    ANNALS_ACCESS_FILE: accessFile,
    ANNALS_PEER_SECRET: randomBytes(32).toString('hex'),
  }
  const tlsSettings = { ANNALS_TLS_CERT_FILE: certFile, ANNALS_TLS_KEY_FILE: keyFile }
  const start = async (name: Variant): Promise<AnnalsClient> => {
    const { type, hasKeys, hasTls } = variants[name]
    const env = { ...stack.envOf(type), ...(hasKeys && keySettings), ...(hasTls && tlsSettings) }
    const writer = await startService('writer', env, {
      ...(hasKeys && { headers: { authorization: `Bearer ${key}` } }),
      ...(hasTls && { ca: authority.cert }),
    })
    closing(() => writer.stop())
    const client = new AnnalsClient({
      url: writer.url,
      ...(hasKeys && { token: key }),
      ...(hasTls && { tls: { ca: authority.cert } }),
    })
    closing(() => client.close())
    return client
  }
  return {
    open: await start('open'),
    keys: await start('keys'),
    TLS: await start('TLS'),
    'keys and TLS': await start('keys and TLS'),
  }
}

let streams = 0

async function rateOf(client: AnnalsClient, name: Variant, callers: number): Promise<number> {
  const append = () =>
    client.append(`${variants[name].type}.${process.pid}-${streams++}`, [appended], {
      expectedVersion: 'no-stream',
    })
  await measureCallers(callers, warmUpMs, append)
  return (await measureCallers(callers, durationMs, append)).perSecond
}

function figuresOf(rates: Readonly<Record<Variant, readonly number[]>>): Record<Variant, Figures> {
  const figures = (name: Variant): Figures => {
    const ratios = rates[name].map((rate, round) => rate / (rates.open[round] ?? rate))
    return {
      perSecond: Math.round(median(rates[name])),
      ofOpen: [median(ratios), percentile(ratios, 25), percentile(ratios, 75)],
    }
  }
  return {
    open: figures('open'),
    keys: figures('keys'),
    TLS: figures('TLS'),
    'keys and TLS': figures('keys and TLS'),
  }
}

function format({ levels: measured, loads }: Result): string {
  const rows = measured.flatMap(({ callers, variants: figures }) =>
    names.map((name) => {
      const { perSecond, ofOpen } = figures[name]
      const [middle = 0, low = 0, high = 0] = ofOpen.map((ratio) => Math.round(ratio * 100) / 100)
      return [
        String(callers),
        String(perSecond),
        middle.toFixed(2),
        `${low.toFixed(2)} to ${high.toFixed(2)}`,
        name,
      ]
    }),
  )
  return [
    formatTable(['callers', 'appends/s', 'of open', 'quartiles', 'variant'], rows, 'text'),
    `medians of ${rounds} rounds; load average before each round: ${loads.map((load) => load.toFixed(1)).join(', ')}`,
  ].join('\n')
}
