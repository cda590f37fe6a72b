/** `FUZZ_RUNS=20` runs twenty times as many. */
export const fuzzFactor = Number(process.env['FUZZ_RUNS'] ?? 1)

/** `FUZZ_SEED=7` runs other cases. fast-check prints seed and path of a failure. @param runs in CI */
export const fuzzSettings = (runs: number) => ({
  seed: Number(process.env['FUZZ_SEED'] ?? 20_260_131),
  numRuns: runs * fuzzFactor,
})
