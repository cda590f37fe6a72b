/**
 * A signal that aborts as soon as the promise settles, either way. Who looks at a promise again and again, waiting for it a while each
 * time, leaves one reaction on it in all; a race would leave one with every look.
 */
export function settled(promise: Promise<unknown>): AbortSignal {
  const end = new AbortController()
  const abort = () => end.abort()
  promise.then(abort, abort)
  return end.signal
}
