import { invalidRequest } from '#event-store'

interface ViewCursor {
  readonly key: string
  readonly figure?: number
}

/** An opaque cursor for callers, valid only for the order of its query. */
export const encodeViewCursor = ({ key, figure }: ViewCursor, orderBy: string | undefined): string =>
  Buffer.from(JSON.stringify([orderBy ?? null, key, figure ?? null])).toString('base64url')

/** @throws EventStoreError `invalid-request` */
export function decodeViewCursor(text: string, orderBy: string | undefined): ViewCursor {
  const [madeFor, key, figure] = parse(text)
  const isWhole = typeof key === 'string' && (typeof figure === 'number') === (orderBy !== undefined)
  if (isWhole && madeFor === (orderBy ?? null)) return { key, ...(typeof figure === 'number' && { figure }) }
  throw invalidRequest(
    'cursor',
    'the cursor does not belong to this query: pass `next` of the previous page, with the same orderBy',
  )
}

function parse(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
