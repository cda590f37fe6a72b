import type { NewGeneration } from '../view-store/generation.ts'
import type { StoredProjection, ViewSet } from '../view-store/view-set.ts'
import { MemoryGeneration } from './memory-generation.ts'
import { byUtf8 } from './memory-order.ts'

/** Runs synchronously. An error becomes a rejection. */
export const promised = <T>(run: () => T): Promise<T> => new Promise((resolve) => resolve(run()))

/** All prepared projections with their generations, shared by the ports of the store in memory. */
export class MemoryProjections {
  /** Generations by id, for each projection. */
  readonly #projections = new Map<string, Map<string, MemoryGeneration>>()

  prepare({ name }: StoredProjection): void {
    if (!this.#projections.has(name)) this.#projections.set(name, new Map())
  }

  /** In the order of their ids. */
  all(projection: StoredProjection): MemoryGeneration[] {
    return [...this.#byId(projection)].sort(([a], [b]) => byUtf8(a, b)).map(([, generation]) => generation)
  }

  serving(projection: StoredProjection): MemoryGeneration | undefined {
    return this.all(projection).find(({ status }) => status === 'serving')
  }

  find({ projection, generation }: ViewSet): MemoryGeneration | undefined {
    return this.#byId(projection).get(generation)
  }

  /** The generation, unless it is retired. */
  active(set: ViewSet): MemoryGeneration | undefined {
    const generation = this.find(set)
    return generation?.status === 'retired' ? undefined : generation
  }

  add(projection: StoredProjection, generation: NewGeneration, status: MemoryGeneration['status']): void {
    const added = new MemoryGeneration(structuredClone(generation), status)
    this.#byId(projection).set(generation.id, added)
  }

  delete({ projection, generation }: ViewSet): void {
    this.#byId(projection).delete(generation)
  }

  #byId({ name }: StoredProjection): Map<string, MemoryGeneration> {
    const byId = this.#projections.get(name)
    if (byId === undefined)
      throw new Error(`projection ${name} is not prepared: call prepare() before any other method`)
    return byId
  }
}
