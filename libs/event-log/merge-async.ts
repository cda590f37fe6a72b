/**
 * Several async iterables as one: each item as soon as its source has it, in its source's order. The first failure of
 * any source fails the whole. One item of each source is read ahead, no more. Leaving the loop asks the sources to return, but does
 * not wait for one that is in the middle of waiting itself: give such sources a signal.
 */
export async function* mergeAsync<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  const ready: { iterator: AsyncIterator<T>; result: Promise<IteratorResult<T>> }[] = []
  let arrival = Promise.withResolvers<undefined>()
  // Not Promise.race over all sources: that would leave one reaction more on a silent source's promise with every item.
  const pull = (iterator: AsyncIterator<T>): void => {
    const result = iterator.next()
    const arrived = () => {
      ready.push({ iterator, result })
      arrival.resolve(undefined)
    }
    result.then(arrived, arrived)
  }
  try {
    iterators.forEach(pull)
    for (let active = iterators.length; active > 0;) {
      await arrival.promise
      arrival = Promise.withResolvers()
      for (const { iterator, result } of ready.splice(0)) {
        const item = await result
        if (item.done === true) {
          active--
          continue
        }
        pull(iterator)
        yield item.value
      }
    }
  } finally {
    for (const iterator of iterators) void iterator.return?.().then(undefined, () => undefined)
  }
}
