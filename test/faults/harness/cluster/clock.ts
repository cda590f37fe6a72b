// Preloaded into a service under test (`node --import`). On SIGWINCH, which services ignore, its wall clock is shifted
// by the milliseconds in the file TEST_CLOCK_FILE. Timers and the monotonic clock are not affected, as when an operator
// or NTP sets the clock of a machine.
import { readFileSync } from 'node:fs'

const RealDate = Date
let offsetMs = 0

process.on('SIGWINCH', () => {
  offsetMs = Number(readFileSync(process.env['TEST_CLOCK_FILE'] ?? '', 'utf8'))
})

const now = (): number => RealDate.now() + offsetMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
})
