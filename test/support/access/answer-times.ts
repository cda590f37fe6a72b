/**
 * How far the times of two kinds of requests differ, as a part of the shorter one. They take turns, so that other work on
 * the machine concerns both. A lower quantile is compared: what disturbs makes an answer slower, never faster.
 */
export async function differenceInTime(
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
  rounds = 80,
): Promise<number> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const which of order) {
      const startMs = performance.now()
      await (which === 0 ? first : second)()
      times[which].push(performance.now() - startMs)
    }
  }
  const [ofFirst, ofSecond] = [quantile(times[0]), quantile(times[1])]
  return Math.abs(ofFirst - ofSecond) / Math.min(ofFirst, ofSecond)
}

const quantile = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0
