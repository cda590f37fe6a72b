import type { StoredView } from '#projections'

/**
 * The bytes of a view: revision, time of change, time of expiry (0: never), six bytes each, then JSON. The body is everything but the
 * revision, which the script assigns; a body without JSON is a deletion. The scripts in lua-parts.ts rely on this layout.
 */
const bodyHead = 12
const head = 18

export function encodeBody(view: {
  readonly json: string | null
  readonly changedAtMs: number
  readonly expiresAtMs?: number
}): Buffer {
  const json = view.json ?? ''
  const body = Buffer.allocUnsafe(bodyHead + Buffer.byteLength(json))
  body.writeUIntBE(view.changedAtMs, 0, 6)
  body.writeUIntBE(view.expiresAtMs ?? 0, 6, 6)
  body.write(json, bodyHead)
  return body
}

export function decodeView(bytes: Buffer): StoredView {
  const expiresAtMs = bytes.readUIntBE(12, 6)
  return {
    json: bytes.toString('utf8', head),
    revision: decodeRevision(bytes),
    changedAtMs: bytes.readUIntBE(6, 6),
    ...(expiresAtMs > 0 && { expiresAtMs }),
  }
}

export const encodeTime = (timeMs: number): Buffer => encodeRevisions([timeMs])

/** Concatenated revisions of six bytes each, which a script splits. */
export function encodeRevisions(revisions: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(6 * revisions.length)
  revisions.forEach((revision, index) => bytes.writeUIntBE(revision, 6 * index, 6))
  return bytes
}

export const decodeRevision = (bytes: Buffer): number => bytes.readUIntBE(0, 6)

/** The mark of a deletion that the changelog lacks: the revision, then the time. */
export const decodeDeletionTime = (mark: Buffer): number => mark.readUIntBE(6, 6)
