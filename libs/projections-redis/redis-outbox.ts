import type { UnpublishedView, ViewOutbox, ViewSet } from '#projections'

import { markPublishedScript } from './change-scripts.ts'
import { inPairs } from './generation-state.ts'
import type { ProjectionScripts } from './projection-scripts.ts'
import { unpublishedScript } from './read-scripts.ts'
import { decodeDeletionTime, decodeRevision, decodeView, encodeRevisions } from './stored-view.ts'

/** {@link ViewOutbox} in Redis. */
export class RedisOutbox implements ViewOutbox {
  readonly #scripts: ProjectionScripts

  constructor(scripts: ProjectionScripts) {
    this.#scripts = scripts
  }

  async unpublished(set: ViewSet, limit: number): Promise<readonly UnpublishedView[]> {
    const reply = await this.#scripts.runOn(unpublishedScript, set, [limit])
    const [marks, views] = reply as [Buffer[], (Buffer | null)[]]
    return inPairs(marks).map(([key, mark], index) => {
      const bytes = views[index]
      const view = bytes == null ? undefined : decodeView(bytes)
      return {
        key: String(key),
        revision: decodeRevision(mark),
        json: view?.json ?? null,
        changedAtMs: view?.changedAtMs ?? decodeDeletionTime(mark),
      }
    })
  }

  async markPublished(
    set: ViewSet,
    published: readonly Pick<UnpublishedView, 'key' | 'revision'>[],
  ): Promise<void> {
    const keys = published.map(({ key }) => key)
    const revisions = encodeRevisions(published.map(({ revision }) => revision))
    await this.#scripts.runOn(markPublishedScript, set, [keys, revisions])
  }
}
