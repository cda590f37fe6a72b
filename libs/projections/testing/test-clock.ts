/** A clock that only a test advances. */
export class TestClock {
  #nowMs = Date.parse('2026-01-31T12:00:00Z')

  readonly now = (): number => this.#nowMs

  advance(ms: number): void {
    this.#nowMs += ms
  }
}
