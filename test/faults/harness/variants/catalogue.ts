import type { Variant } from './variant.ts'

const noWaitForMarker: Variant = {
  name: 'no-wait-for-marker',
  caughtBySeed: 53,
  doc: 'A take-over does not wait for its marker, which comes late, and continues slowly. What the former owner appends in the meantime is missed, and its versions are assigned twice.',
  modules: [
    {
      module: 'libs/kafka/fenced-log.ts',
      replacements: [
        {
          text: 'await writeMarker(this.#fenced, term, deadline)\n      const endOffset = await awaitMarker(this.#fenced, term, before, deadline)',
          by: `setTimeout(() => writeMarker(this.#fenced, term, deadlineIn(30_000)).catch(() => undefined), 5_000).unref()
      const endOffset = before
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      void awaitMarker`,
        },
      ],
    },
  ],
}

const noFence: Variant = {
  name: 'no-fence',
  caughtBySeed: 13,
  doc: 'Each owner appends with its own producer id, so no broker rejects an owner that sleeps through a take-over and resumes.',
  modules: [
    {
      module: 'libs/kafka/fenced-log.ts',
      replacements: [
        {
          text: 'await writeMarker(this.#fenced, term, deadline)\n      const endOffset = await awaitMarker(this.#fenced, term, before, deadline)',
          by: `const { initProducerIdV4 } = await import('@platformatic/kafka')
      const own = await this.#cluster.onCoordinator('transaction', this.#name, (connection) =>
        initProducerIdV4.api.async(connection, null, 0, -1n, -1))
      Object.assign(term, { indexEpoch: term.epoch, producerId: own.producerId, epoch: own.producerEpoch })
      const endOffset = await highWatermark(this.#cluster, this.topic, this.partition, deadline)
      void [awaitMarker, before]`,
        },
        {
          text: 'return { ...term, endOffset, topicId }',
          by: 'return { ...term, epoch: term.indexEpoch, endOffset, topicId }',
        },
      ],
    },
  ],
}

const guardIgnored: Variant = {
  name: 'guard-ignored',
  caughtBySeed: 6,
  doc: 'Rounds and reads trust the index, although Redis may have lost or regained state.',
  modules: [
    {
      module: 'libs/redis-index/scripts/commit-scripts.ts',
      replacements: [
        {
          text: 'if stored[1] ~= topicId or stored[2] ~= term or stored[3] ~= nextOffset then return 0 end',
          by: '',
        },
      ],
    },
    {
      module: 'libs/redis-index/scripts/lua-parts.ts',
      replacements: [
        {
          text: 'if stored[1] ~= topicId or stored[2] ~= term or tonumber(stored[3]) < tonumber(nextOffset) then return 0 end',
          by: '',
        },
      ],
    },
  ],
}

const sequenceBumped: Variant = {
  name: 'sequence-bumped-on-retry',
  caughtBySeed: 13,
  doc: 'A batch without a response is sent again with the next sequence, so the broker appends it a second time.',
  modules: [
    {
      module: 'libs/kafka/fenced-log.ts',
      replacements: [
        {
          text: 'const batch = encodeBatch(records, { ...owned.term, sequence: owned.sequence })',
          by: `const from = owned.sequence
    let tries = 0
    const batch = () => {
      owned.sequence = sequenceAfter(from, records.length * tries++)
      return encodeBatch(records, { ...owned.term, sequence: owned.sequence })
    }`,
        },
        {
          text: '#produce(batch: Buffer, deadline: number)',
          by: '#produce(batch: () => Buffer, deadline: number)',
        },
        {
          text: 'return produce(connection, request)',
          by: 'return produce(connection, { ...request, batch: batch() })',
        },
      ],
    },
  ],
}

const checkpointFirst: Variant = {
  name: 'checkpoint-before-views',
  caughtBySeed: 17,
  doc: 'The checkpoint of a projection is stored first and the views after it. A projector killed in between never applies those events.',
  modules: [
    {
      module: 'libs/projections-redis/redis-views.ts',
      replacements: [
        {
          text: 'const { source, from, to, changes, parked } = commit\n',
          by: `if (commit.from !== commit.to) {
      const first = await this.commit(set, { ...commit, from: commit.to, changes: [], parked: [], first: commit.from })
      if (first !== 'committed') return first
      await new Promise((resolve) => setTimeout(resolve, 20))
      commit = { ...commit, from: commit.to }
    }
    const { source, to, changes, parked } = commit
    const from = 'first' in commit ? commit.first : commit.from
`,
        },
      ],
    },
  ],
}

const dedupeForgotten: Variant = {
  name: 'dedupe-forgotten',
  caughtBySeed: 30,
  doc: 'After a take-over the owner does not know the ids of events that are in the log, and appends them again.',
  modules: [
    {
      module: 'services/writer/partition/partition-writer.ts',
      replacements: [
        {
          text: "if ((await term.memory.load(this.#parts.index, term.guard)) === 'loaded') return",
          by: 'if (term.memory !== undefined) return',
        },
      ],
    },
  ],
}

const readWithoutOffset: Variant = {
  name: 'read-without-offset',
  caughtBySeed: 6,
  doc: 'The index is read although it lacks events that are acknowledged: Redis was restored from an older copy, or missed a commit.',
  modules: [
    {
      module: 'libs/redis-index/scripts/lua-parts.ts',
      replacements: [
        {
          text: 'if stored[1] ~= topicId or stored[2] ~= term or tonumber(stored[3]) < tonumber(nextOffset) then return 0 end',
          by: 'if stored[1] ~= topicId or stored[2] ~= term then return 0 end',
        },
      ],
    },
    {
      module: 'services/writer/partition/partition-writer.ts',
      replacements: [
        {
          text: 'if (memory.version(streamId) === undefined) return undefined',
          by: 'if (memory !== undefined) return undefined',
        },
      ],
    },
  ],
}

const ruleLeftOut: Variant = {
  name: 'rule-left-out',
  caughtBySeed: 4,
  doc: 'Every batch in a partition counts, whatever its producer: a stray record with the next version is treated as an event.',
  modules: [
    {
      module: 'libs/kafka/terms.ts',
      replacements: [
        {
          text: 'if (this.#term !== undefined) return batch.isOf(this.#term)',
          by: 'if (this.#term !== null) return true',
        },
      ],
    },
  ],
}

const landingUnchecked: Variant = {
  name: 'landing-unchecked',
  caughtBySeed: 47,
  doc: 'An owner acknowledges wherever its batch landed, even after the marker of another owner, whose different producer id fences no owner.',
  modules: [
    {
      module: 'libs/kafka/fenced-log.ts',
      replacements: [
        {
          text: 'const strays = await this.#checkLanding(owned, firstOffset, deadline)',
          by: 'const strays: readonly Stray[] = []',
        },
      ],
    },
  ],
}

/** Each removes one thing that a promise depends on. */
export const variants: readonly Variant[] = [
  noWaitForMarker,
  noFence,
  guardIgnored,
  sequenceBumped,
  checkpointFirst,
  dedupeForgotten,
  ruleLeftOut,
  landingUnchecked,
  readWithoutOffset,
]

/** @throws Error naming the existing ones, when there is none of this name. */
export function variantNamed(name: string): Variant {
  const variant = variants.find((each) => each.name === name)
  if (variant !== undefined) return variant
  throw new Error(
    `there is no variant ${name}: choose one of ${variants.map((each) => each.name).join(', ')}`,
  )
}
