import type { KnownProjection, StoredView } from '../../history.ts'
import type { Where } from './where.ts'

interface Page {
  readonly views: readonly { readonly key: string; readonly view: unknown }[]
  readonly next?: string
}

/** Every view of every projection, page by page over HTTP. */
export async function readViews({ projectorUrl, projections }: Where): Promise<StoredView[]> {
  const views: StoredView[] = []
  for (const { name } of projections) {
    for await (const page of pagesOf(projectorUrl, name))
      views.push(...page.views.map(({ key, view }) => ({ projection: name, key, view })))
  }
  return views
}

async function* pagesOf(url: string, name: KnownProjection['name']): AsyncGenerator<Page> {
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ limit: '1000', ...(cursor !== undefined && { cursor }) })
    const response = await fetch(`${url}/projections/${name}/views?${query.toString()}`)
    if (!response.ok) throw new Error(`views of ${name}: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as Page
    yield page
    cursor = page.next
  } while (cursor !== undefined)
}
