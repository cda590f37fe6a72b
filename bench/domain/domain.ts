import { type Aggregate, defineAggregate, defineDomain, type DomainEvent, type DomainModule } from '#domain'

export interface BenchState {
  readonly events: number
  readonly characters: number
}

export type Appended = DomainEvent<'Appended', { readonly payload: string }>

/**
 * An aggregate that counts, for benches of the layers below. Each writer of a bench has its own type, and so its own
 * topic.
 */
export const benchAggregate = (type: string): Aggregate<BenchState, Appended, never> =>
  defineAggregate<BenchState, Appended>({
    type,
    initialState: { events: 0, characters: 0 },
    evolve: {
      Appended: (state, { data }) => ({
        events: state.events + 1,
        characters: state.characters + data.payload.length,
      }),
    },
    snapshot: { schema: 'BenchState' },
  })

export const appended: Appended = { type: 'Appended', data: { payload: 'x'.repeat(200) } }

export const benchDomain = (type: string): DomainModule =>
  defineDomain({ aggregates: [benchAggregate(type)] })
