/** Blocks the event loop for a time, in milliseconds. */
export function busy(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}
