/**
 * A signal that aborts as soon as the promise settles, either way. Repeated waits on one promise then cost one reaction
 * in all; a race would leave one with every wait.
 */
export function settled(promise: Promise<unknown>): AbortSignal {
  const end = new AbortController()
  const abort = () => end.abort()
  promise.then(abort, abort)
  return end.signal
}
