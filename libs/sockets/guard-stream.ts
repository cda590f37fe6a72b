import type { Duplex } from 'node:stream'

/**
 * Turns what a stream's listeners throw into an error of the stream and destroys it, instead of ending the process. It
 * is for client libraries whose parsers throw at foreign bytes: the connection fails like any other.
 * @returns the same stream
 */
export function guardStream<Stream extends Duplex>(stream: Stream): Stream {
  const emit = stream.emit.bind(stream) as (event: string | symbol, ...rest: unknown[]) => boolean
  stream.emit = (event: string | symbol, ...rest: unknown[]) => {
    try {
      return emit(event, ...rest)
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)))
      return true
    }
  }
  return stream
}
