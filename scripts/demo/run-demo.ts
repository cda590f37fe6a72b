import { AnnalsClient, type ClientOptions } from '#client'

import type { Report } from '../stack/index.ts'
import { figuresTable } from './figures-table.ts'
import { importPurchases } from './import-purchases.ts'
import { knownFigures } from './known-figures.ts'
import { caughtUp, isImported, servedFigures } from './served-figures.ts'

/** How the demo reaches the platform. */
export interface DemoClient extends ClientOptions {
  readonly url: string
}

/**
 * Fills the platform with the real purchases of the customers example through its public interface, and prints the
 * result next to the figures from the file. Purchases that are imported already are not imported again.
 * @throws StackError when the import fails; Error when projections or snapshots do not catch up
 */
export async function runDemo(client: DemoClient, report: Report): Promise<void> {
  const annals = new AnnalsClient({ ...client, direct: false, retries: { totalMsMax: 60_000 } })
  try {
    const known = knownFigures()
    let appendsPerSecond: number | undefined
    if (await isImported(annals, known)) report(`The ${known.events} purchases are imported already.`)
    else {
      report(`Importing ${known.events} real purchases of a music shop (examples/customers/cdnow.txt):`)
      appendsPerSecond = Math.round(known.events / (await importPurchases(client.url)))
    }
    await caughtUp(annals, known, report)
    report(figuresTable(await servedFigures(annals), known, appendsPerSecond))
  } finally {
    await annals.close()
  }
}

/** Whether the platform serves what the demo needs: the customers example and the built-in statistics. */
export function servesDemo({
  ANNALS_DOMAIN: domain = '',
  ANNALS_PROJECTOR_BUILT_IN: builtIn,
}: NodeJS.ProcessEnv): boolean {
  const hasExample = domain.split(',').some((path) => path.endsWith('examples/customers/domain.ts'))
  return hasExample && (builtIn === undefined || builtIn.includes('aggregate-statistics'))
}
