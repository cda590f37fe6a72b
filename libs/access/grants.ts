import { NamesGranted } from './names-granted.ts'
import type { Pattern } from './pattern.ts'
import type { Resource } from './resource.ts'
import type { Decision, StreamsAllowed } from './rights.ts'

/** What one action is granted on. */
export class Grants {
  #everything: Decision | undefined
  #installation: Decision | undefined
  readonly #projections = new NamesGranted()
  readonly #users = new NamesGranted()
  readonly #types = new Map<string, NamesGranted>()
  readonly #everyType = new NamesGranted()

  add(pattern: Pattern, decision: Decision): void {
    switch (pattern.kind) {
      case 'everything':
        this.#everything ??= decision
        return
      case 'installation':
        this.#installation ??= decision
        return
      case 'projection':
        this.#projections.add(pattern.name, decision)
        return
      case 'user':
        this.#users.add(pattern.name, decision)
        return
      case 'stream':
        this.#streamsOf(pattern.type).add(pattern.id, decision)
    }
  }

  /** The grant of a resource, undefined if there is none. */
  of(resource: Resource): Decision | undefined {
    if (this.#everything !== undefined) return this.#everything
    switch (resource.kind) {
      case 'stream':
        if (resource.type === '') return undefined
        return this.#types.get(resource.type)?.of(resource.id) ?? this.#everyType.of(resource.id)
      case 'category':
        return this.someStream(resource.type)
      case 'type':
        return this.#allStreams(resource.type)
      case 'projection':
        return this.#projections.of(resource.name)
      case 'user':
        return this.#users.of(resource.name)
      case 'installation':
        return this.#installation
    }
  }

  /** The grant of at least one stream of a type. */
  someStream(type: string): Decision | undefined {
    if (this.#everything !== undefined) return this.#everything
    return type === '' ? undefined : (this.#types.get(type)?.first ?? this.#everyType.first)
  }

  streamsAllowed(type: string): StreamsAllowed {
    if (this.#allStreams(type) !== undefined) return 'all'
    if (this.someStream(type) === undefined) return 'none'
    const [ofType, ofEveryType, start] = [this.#types.get(type), this.#everyType, `${type}.`]
    return (streamId) => {
      if (!streamId.startsWith(start)) return false
      const id = streamId.slice(start.length)
      return ofType?.of(id) !== undefined || ofEveryType.of(id) !== undefined
    }
  }

  /** The grant of all streams of a type by one pattern. */
  #allStreams(type: string): Decision | undefined {
    if (this.#everything !== undefined) return this.#everything
    return type === '' ? undefined : (this.#types.get(type)?.all ?? this.#everyType.all)
  }

  #streamsOf(type: string | undefined): NamesGranted {
    if (type === undefined) return this.#everyType
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const added = new NamesGranted()
    this.#types.set(type, added)
    return added
  }
}
