/** `FUZZ_RUNS=20` does twenty times as much. */
export const fuzzFactor = Number(process.env['FUZZ_RUNS'] ?? 1)

/** `FUZZ_SEED=7` does something else. What it finds fast-check prints with seed and path. @param runs in CI */
export const fuzzSettings = (runs: number) => ({
  seed: Number(process.env['FUZZ_SEED'] ?? 20_260_131),
  numRuns: runs * fuzzFactor,
})
