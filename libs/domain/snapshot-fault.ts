import type { LoadedStream } from './aggregate-store.ts'
import type { StreamId } from './stream-id.ts'

/** Why a stream's snapshot must not be used; undefined when it may be used, or there is none. */
export function snapshotFault(
  streamId: StreamId,
  stateVersion: number,
  { snapshot, version }: Pick<LoadedStream, 'snapshot' | 'version'>,
): string | undefined {
  if (snapshot === undefined) return undefined
  if (snapshot.streamId !== streamId) return `it belongs to stream ${snapshot.streamId}`
  if (snapshot.stateVersion !== stateVersion) {
    return `it has state version ${snapshot.stateVersion}, expected ${stateVersion}`
  }
  if (snapshot.version > version) {
    return `it was taken at version ${snapshot.version}, but the stream is at ${version}`
  }
  return undefined
}
