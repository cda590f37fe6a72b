// Preloaded into a service under test (`node --import`). When the file TEST_HOLD_FILE says `armed`, the next produce
// request stops the whole process just before its bytes are written, as if the machine were suspended. The file then
// says `held`, and the process resumes when the file is removed. Nothing runs in the meantime: no timer, no heartbeat,
// no response.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'

const produceKey = 0
/** The harness removes the file. A process that outlives its harness resumes by itself. */
const heldMsMax = 120_000
const lookMs = 20
const file = process.env['TEST_HOLD_FILE'] ?? ''

/**
 * A request is written as one piece: its length, its kind, its version. Redis and HTTP requests do not start with such
 * a length.
 */
const isProduce = (chunk: unknown): boolean =>
  Buffer.isBuffer(chunk) &&
  chunk.length > 8 &&
  chunk.readInt32BE(0) === chunk.length - 4 &&
  chunk.readInt16BE(4) === produceKey

const isArmed = (): boolean => existsSync(file) && readFileSync(file, 'utf8') === 'armed'

function stopHere(): void {
  writeFileSync(file, 'held')
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (let heldMs = 0; heldMs < heldMsMax && existsSync(file); heldMs += lookMs)
    Atomics.wait(sleeper, 0, 0, lookMs)
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called on its own socket.
const write = Socket.prototype.write as (this: Socket, ...args: unknown[]) => boolean
Socket.prototype.write = function (this: Socket, ...args: unknown[]): boolean {
  if (isProduce(args[0]) && isArmed()) stopHere()
  return write.apply(this, args)
}
