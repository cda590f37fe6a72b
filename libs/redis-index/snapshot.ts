import type { Version } from '#domain'

/** A stored snapshot. The state is opaque here. */
export interface StoredSnapshot {
  readonly version: Version
  readonly stateVersion: number
  readonly timestampMs: number
  readonly state: Buffer
}

/** Big endian: version u32, state version u32, timestamp u48, then the state. The scripts read the first two. */
export function encodeSnapshot(snapshot: StoredSnapshot): Buffer {
  const header = Buffer.allocUnsafe(14)
  header.writeUInt32BE(snapshot.version, 0)
  header.writeUInt32BE(snapshot.stateVersion, 4)
  header.writeUIntBE(snapshot.timestampMs, 8, 6)
  return Buffer.concat([header, snapshot.state])
}

export function decodeSnapshot(bytes: Buffer): StoredSnapshot {
  return {
    version: bytes.readUInt32BE(0) as Version,
    stateVersion: bytes.readUInt32BE(4),
    timestampMs: bytes.readUIntBE(8, 6),
    state: bytes.subarray(14),
  }
}
