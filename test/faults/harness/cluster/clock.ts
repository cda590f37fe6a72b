// Loaded into a service under test before its own code (`node --import`): at SIGWINCH, which means nothing to a service, its
// wall clock is set off by the milliseconds that stand in the file TEST_CLOCK_FILE. Timers and the monotonic clock go on as
// before, as they do when an operator or NTP sets a machine's clock.
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
