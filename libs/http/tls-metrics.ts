import { Counter, Gauge, type Registry } from 'prom-client'

import type { TlsMaterial } from './tls-files.ts'

/** Metrics of certificates. They exist without TLS too, without values. */
export class TlsMetrics {
  readonly #failures: Counter
  #expiresAtMs: Partial<TlsMaterial['expiresAtMs']> = {}

  constructor(registry: Registry) {
    const expiresAtMs = () => Object.entries(this.#expiresAtMs)
    new Gauge({
      name: 'annals_tls_certificate_expiry_seconds',
      help: 'Time until the first certificate of a TLS file expires; negative after that',
      labelNames: ['certificate'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [certificate, atMs] of expiresAtMs())
          this.set({ certificate }, (atMs - Date.now()) / 1_000)
      },
    })
    this.#failures = new Counter({
      name: 'annals_tls_reload_failures_total',
      help: 'Changed TLS files that could not be used',
      registers: [registry],
    })
  }

  /** A certificate is in use. */
  used({ expiresAtMs }: TlsMaterial): void {
    this.#expiresAtMs = expiresAtMs
  }

  failed(): void {
    this.#failures.inc()
  }
}
