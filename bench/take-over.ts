import { measureCallers } from './callers.ts'
import type { CoreWriter } from './contenders/core.ts'
import { meanOf } from './scale/restarts.ts'

const callers = 512
const fillMs = 1_000

/** Appends until each partition has as many events as an owner remembers ids. */
export async function fillWindows(
  { append, config }: CoreWriter,
  say: (line: string) => void,
): Promise<void> {
  // Partitions do not grow at the same rate: a tenth more fills all of them.
  const events = 1.1 * config.index.rememberedIdsMax * config.kafka.partitions
  let appended = 0
  while (appended < events) {
    await measureCallers(callers, fillMs, () => append(`window-${appended++}`))
    say(`${appended} of ${Math.round(events)} events`)
  }
}

/** Mean seconds from the fence to serving, of the partitions that a writer took over when it started. */
export async function takeOverSeconds({ metrics }: Pick<CoreWriter, 'metrics'>): Promise<number> {
  const { values } = (await metrics.getSingleMetric('annals_writer_take_over_seconds')?.get()) ?? {
    values: [],
  }
  return meanOf(values)
}
