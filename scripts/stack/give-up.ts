const controller = new AbortController()

/** Aborted once this process has given up starting servers. */
export const givenUp = controller.signal

/** From now on nothing more is started, and commands that prepare a start end. Final. */
export function giveUp(): void {
  controller.abort()
}
