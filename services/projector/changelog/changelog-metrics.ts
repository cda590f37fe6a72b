import { Counter, type Registry } from 'prom-client'

const labelNames = ['projection'] as const

/** The metrics of changelog publishers. */
export class ChangelogMetrics {
  readonly #published: Counter<'projection'>
  readonly #refused: Counter<'projection'>
  readonly #failures: Counter<'projection'>
  readonly #expired: Counter<'projection'>

  constructor(registry: Registry) {
    const counter = (name: string, help: string) =>
      new Counter({ name: `annals_projector_${name}`, help, labelNames, registers: [registry] })
    this.#published = counter('published_total', 'Views written to the changelog')
    this.#refused = counter(
      'publish_refused_total',
      'Views left out of the changelog because they do not match their schema or are too large',
    )
    this.#failures = counter('keeping_failures_total', 'Failed attempts to publish, discard or expire views')
    this.#expired = counter('expired_total', 'Views dropped because they expired')
  }

  published(projection: string, views: number): void {
    this.#published.inc({ projection }, views)
  }

  refused(projection: string): void {
    this.#refused.inc({ projection })
  }

  failed(projection: string): void {
    this.#failures.inc({ projection })
  }

  expired(projection: string, views: number): void {
    this.#expired.inc({ projection }, views)
  }
}
