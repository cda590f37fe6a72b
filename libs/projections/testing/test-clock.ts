/** A clock that stands still until a test moves it. */
export class TestClock {
  #nowMs = Date.parse('2026-01-31T12:00:00Z')

  readonly now = (): number => this.#nowMs

  advance(ms: number): void {
    this.#nowMs += ms
  }
}
