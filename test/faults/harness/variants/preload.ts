import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

import { variantNamed } from './catalogue.ts'
import { brokenSource } from './variant.ts'

// node --import 'test/faults/harness/variants/preload.ts?variant=no-fence' services/writer/main.ts
const variant = variantNamed(new URL(import.meta.url).searchParams.get('variant') ?? '')
const broken = new Map(variant.modules.map((each) => [pathToFileURL(each.module).href, each]))

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const found = broken.get(url)
    if (found === undefined) return loaded
    return { ...loaded, source: brokenSource(variant.name, found, readFileSync(found.module, 'utf8')) }
  },
})
