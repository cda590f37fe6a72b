const controller = new AbortController()

/** Aborts once this process no longer starts servers. */
export const givenUp = controller.signal

/** Ends running preparations and prevents any further start. Cannot be undone. */
export function giveUp(): void {
  controller.abort()
}
