/**
 * Contiguous events of a stream in one Redis string: first version (u32), then for each event its length (u32) and its bytes.
 * Tails and cached streams have this form. The scripts cut runs at the front.
 */
export interface EventRun {
  readonly firstVersion: number
  readonly payloads: readonly Buffer[]
}

/** How many bytes {@link writeFrames} needs. */
export const framesLength = (payloads: readonly Buffer[]): number =>
  payloads.reduce((sum, payload) => sum + 4 + payload.length, 0)

/** Writes the part that can be appended to a stored run. */
export function writeFrames(bytes: Buffer, at: number, payloads: readonly Buffer[]): void {
  let next = at
  for (const payload of payloads) {
    bytes.writeUInt32BE(payload.length, next)
    payload.copy(bytes, next + 4)
    next += 4 + payload.length
  }
}

export function encodeEventRun({ firstVersion, payloads }: EventRun): Buffer {
  const bytes = Buffer.allocUnsafe(4 + framesLength(payloads))
  bytes.writeUInt32BE(firstVersion)
  writeFrames(bytes, 4, payloads)
  return bytes
}

/** @param bytes what Redis returns for the key: null when it does not exist. */
export function decodeEventRun(bytes: Buffer | null): EventRun | undefined {
  if (bytes === null) return undefined
  const payloads: Buffer[] = []
  for (let at = 4; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at)
    payloads.push(bytes.subarray(at + 4, end))
    at = end
  }
  return { firstVersion: bytes.readUInt32BE(0), payloads }
}

/** The events of a run within the given versions, both inclusive; `undefined` when none are left. */
export function clipRun(
  run: EventRun | undefined,
  fromVersion: number,
  toVersion: number,
): EventRun | undefined {
  if (run === undefined) return undefined
  const from = Math.max(fromVersion, run.firstVersion)
  const payloads = run.payloads.slice(from - run.firstVersion, Math.max(0, toVersion - run.firstVersion + 1))
  return payloads.length === 0 ? undefined : { firstVersion: from, payloads }
}
