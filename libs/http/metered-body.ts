import type { ServerResponse } from 'node:http'
import { type Readable, Transform, type TransformCallback } from 'node:stream'

/** A body that asks before each chunk passes. */
class MeteredBody extends Transform {
  readonly #take: (bytes: number) => Error | undefined

  constructor(take: (bytes: number) => Error | undefined) {
    super()
    this.#take = take
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const error = this.#take(chunk.length)
    if (error === undefined) done(null, chunk)
    else done(error)
  }
}

/**
 * Meters a body whose size is not declared. It fails with the first error that `take` returns, and no more is read until
 * the response is sent. Then the rest is discarded, as that of every rejected request.
 */
export function meterBody(
  payload: Readable,
  response: ServerResponse,
  take: (bytes: number) => Error | undefined,
): Readable {
  const meter = new MeteredBody(take)
  payload.once('error', (error) => meter.destroy(error))
  response.once('finish', () => payload.resume())
  return payload.pipe(meter)
}
