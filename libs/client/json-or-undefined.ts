/** Parses JSON that may be anything, e.g. the error page of a proxy. Undefined for text that is not JSON. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
