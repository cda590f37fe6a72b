import { Counter, Gauge, type Registry } from 'prom-client'

import type { AuditEntry } from './audit-entry.ts'

/** Why an entry was dropped. `closed`: the process ended before Kafka took it. */
export type DropReason = 'queue-full' | 'too-large' | 'invalid' | 'closed'

const dropReasons: readonly DropReason[] = ['queue-full', 'too-large', 'invalid', 'closed']

/** The metrics of an audit trail. */
export class AuditMetrics {
  readonly #written: Counter
  readonly #denied: Counter
  readonly #dropped: Counter

  /** @param waiting the number of entries in the queue. */
  constructor(registry: Registry, waiting: () => number) {
    const registers = [registry]
    this.#written = new Counter({
      ...{ name: 'annals_audit_written_total', help: 'Entries in the audit trail', registers },
    })
    this.#denied = new Counter({
      ...{ name: 'annals_audit_denials_total', help: 'Rejected requests, by error code', registers },
      labelNames: ['code'],
    })
    this.#dropped = new Counter({
      ...{ name: 'annals_audit_dropped_total', help: 'Entries that were dropped, by reason', registers },
      labelNames: ['reason'],
    })
    for (const reason of dropReasons) this.#dropped.inc({ reason }, 0)
    new Gauge({
      ...{ name: 'annals_audit_queue_entries', help: 'Entries that wait to be written', registers },
      collect() {
        this.set(waiting())
      },
    })
  }

  written(entries: number): void {
    this.#written.inc(entries)
  }

  denied({ code }: Pick<AuditEntry, 'code'>): void {
    this.#denied.inc({ code: code ?? 'forbidden' })
  }

  dropped(reason: DropReason, entries: number): void {
    this.#dropped.inc({ reason }, entries)
  }
}
