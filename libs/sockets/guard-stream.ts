import type { Duplex } from 'node:stream'

/**
 * Keeps what a stream's listeners throw from ending the process: the stream is destroyed with it instead, which is an error of the
 * connection like any other. For client libraries whose parsers throw at bytes that are none of their protocol.
 * @returns the same stream.
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
