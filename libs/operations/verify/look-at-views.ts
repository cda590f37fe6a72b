import { formatPosition, type Projection } from '#domain'
import type { GenerationState, KeyedView, ViewPageQuery, ViewStore } from '#projections'

type LookedAt = Pick<ViewStore, 'generations' | 'views' | 'parked'>

/** The views of a generation, and its state before and after they were read. */
export interface Look {
  readonly generation: string
  readonly before: GenerationState
  readonly after: GenerationState
  /** As JSON, by key. */
  readonly views: ReadonlyMap<string, string>
  /** Figures by key, for each index that both the generation and the definition have. */
  readonly figures: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Positions of events that were set aside; the views do not include them. */
  readonly parked: ReadonlySet<string>
}

const looksMax = 3
const pageViews = 1_000

/** Reads the views of the serving generation. @returns the views, or the reason why they are not compared. */
export async function lookAtViews(projection: Projection, store: LookedAt): Promise<Look | string> {
  for (let left = looksMax; left > 0; left--) {
    const before = await serving(projection, store)
    if (before === undefined) return 'no generation serves'
    if (before.viewVersion !== projection.viewVersion) return 'another view version serves'
    const parked = await parkedIn(projection, before.id, store)
    const views = await viewsIn(projection, before.id, store)
    const figures = await figuresIn(projection, before, store)
    const after = await serving(projection, store)
    const parkedAfter = await parkedIn(projection, before.id, store)
    // An event that was retried meanwhile may be in only some of the views.
    if (
      views === undefined ||
      figures === undefined ||
      after?.id !== before.id ||
      parkedAfter.join() !== parked.join()
    )
      continue
    return { generation: before.id, before, after, views, figures, parked: new Set(parked) }
  }
  return 'its generations change'
}

async function serving(projection: Projection, store: LookedAt): Promise<GenerationState | undefined> {
  return (await store.generations.list(projection)).find(({ status }) => status === 'serving')
}

async function parkedIn(projection: Projection, generation: string, store: LookedAt): Promise<string[]> {
  const found: string[] = []
  for (let offset = 0; ; offset += pageViews) {
    const page = await store.parked.list({ projection, generation }, { offset, limit: pageViews })
    found.push(...page.map(({ position }) => formatPosition(position)))
    if (page.length < pageViews) return found
  }
}

async function viewsIn(
  projection: Projection,
  generation: string,
  store: LookedAt,
): Promise<Map<string, string> | undefined> {
  const views = new Map<string, string>()
  const take = ({ key, json }: KeyedView) => views.set(key, json)
  return (await eachView(projection, { generation }, store, take)) ? views : undefined
}

async function figuresIn(
  projection: Projection,
  { id: generation, indexNames }: GenerationState,
  store: LookedAt,
): Promise<Map<string, Map<string, number>> | undefined> {
  const byIndex = new Map<string, Map<string, number>>()
  for (const orderBy of projection.indexNames.filter((name) => indexNames.includes(name))) {
    const figures = new Map<string, number>()
    const take = ({ key, figure }: KeyedView) => figure !== undefined && figures.set(key, figure)
    if (!(await eachView(projection, { generation, orderBy }, store, take))) return undefined
    byIndex.set(orderBy, figures)
  }
  return byIndex
}

/** Calls `take` with each view. @returns false if the generation was removed meanwhile. */
async function eachView(
  projection: Projection,
  of: Pick<ViewPageQuery, 'generation' | 'orderBy'>,
  store: LookedAt,
  take: (view: KeyedView) => unknown,
): Promise<boolean> {
  let query: ViewPageQuery = { ...of, descending: false, limit: pageViews }
  for (;;) {
    const looked = await store.views.page(projection, query)
    if (looked.outcome !== 'found') return false
    for (const view of looked.found.views) take(view)
    if (looked.found.next === undefined) return true
    query = { ...query, cursor: looked.found.next }
  }
}
