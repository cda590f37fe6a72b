/**
 * A signal that aborts when the promise resolves or rejects. Repeated waits on one promise then need one reaction in
 * total; `Promise.race` would leave one behind for each wait.
 */
export function settled(promise: Promise<unknown>): AbortSignal {
  const end = new AbortController()
  const abort = () => end.abort()
  promise.then(abort, abort)
  return end.signal
}
