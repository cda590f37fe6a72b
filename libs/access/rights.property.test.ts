import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  type Action,
  actions,
  builtInRoles,
  type Resource,
  resourceText,
  RightsTable,
  type Role,
  type Rule,
  streamResource,
} from './index.ts'

// Few letters, so that patterns and names meet often.
const word = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 })
const maybeStar = fc.constantFrom('', '*')
const ending = fc.oneof(
  fc.constant('*'),
  fc.tuple(word, maybeStar).map(([text, star]) => text + star),
)
const pattern = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.oneof(word, fc.constant('*')), ending).map((parts) => parts.join('.')),
  },
  { weight: 2, arbitrary: ending.map((name) => `projection:${name}`) },
  { weight: 2, arbitrary: ending.map((name) => `user:${name}`) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'installation') },
)
const action = fc.constantFrom(...actions)
const rule: fc.Arbitrary<Rule> = fc.record({
  actions: fc.uniqueArray(action, { minLength: 1, maxLength: 3 }),
  on: fc.array(pattern, { minLength: 1, maxLength: 3 }),
})
const roleNames = ['r0', 'r1', 'r2', 'r3'] as const
const role: fc.Arbitrary<Role> = fc.record({
  rules: fc.array(rule, { maxLength: 3 }),
  includes: fc.subarray([...roleNames], { maxLength: 2 }),
})
const roles = fc.tuple(role, role, role, role).map(([r0, r1, r2, r3]) => ({ r0, r1, r2, r3 }))
const someRoles = fc.array(fc.constantFrom(...roleNames, 'unknown'), { maxLength: 4 })
const resource: fc.Arbitrary<Resource> = fc.oneof(
  fc.tuple(word, word).map(([type, id]): Resource => ({ kind: 'stream', type, id })),
  fc.constantFrom('', '.', 'a', '.a', 'a.', 'a.b.a', 'a. ').map(streamResource),
  fc
    .tuple(fc.constantFrom('category' as const, 'type' as const), fc.oneof(word, fc.constant('')))
    .map(([kind, type]): Resource => ({ kind, type })),
  fc
    .tuple(fc.constantFrom('projection' as const, 'user' as const), word)
    .map(([kind, name]): Resource => ({ kind, name })),
  fc.constant<Resource>({ kind: 'installation' }),
)

/** Whether a text is what a pattern with at most one `*` at its end says. */
const says = (patternText: string, text: string): boolean =>
  patternText.endsWith('*') ? text.startsWith(patternText.slice(0, -1)) : text === patternText

/** The naive matcher: what each form of a pattern says, in the order of the documentation. */
function matches(patternText: string, wanted: Resource): boolean {
  if (patternText === '*') return true
  if (wanted.kind === 'installation') return patternText === 'installation'
  if (wanted.kind === 'projection' || wanted.kind === 'user') return says(patternText, resourceText(wanted))
  const [, type, id] = /^([ab*]+)\.(.+)$/.exec(patternText) ?? []
  if (type === undefined || id === undefined || wanted.type === '') return false
  if (type !== '*' && type !== wanted.type) return false
  if (wanted.kind === 'category') return true
  return wanted.kind === 'type' ? id === '*' : says(id, wanted.id)
}

type Roles = Readonly<Record<string, Role>>

/** All rules of roles, included ones too. */
function rulesOf(all: Roles, names: readonly string[], seen = new Set<string>()): readonly Rule[] {
  return names.flatMap((name) => {
    const found = all[name]
    if (found === undefined || seen.has(name)) return []
    seen.add(name)
    return [...found.rules, ...rulesOf(all, found.includes ?? [], seen)]
  })
}

const isGranted = (rules: readonly Rule[], wanted: Action, on: Resource): boolean =>
  rules.some((each) => each.actions.includes(wanted) && each.on.some((text) => matches(text, on)))

const allowed = (all: Roles, names: readonly string[], wanted: Action, on: Resource): boolean =>
  new RightsTable(all).of(names, 'ada').decide(wanted, on).isAllowed

test('a principal without roles, and one with unknown roles, may do nothing', () => {
  fc.assert(
    fc.property(
      roles,
      action,
      resource,
      fc.constantFrom([], ['unknown', 'constructor', '__proto__']),
      (...all) => {
        const [table, wanted, on, names] = all
        expect(allowed(table, names, wanted, on)).toBe(false)
      },
    ),
  )
})

test('allowed is exactly what some rule of some role, included ones too, says', () => {
  fc.assert(
    fc.property(roles, someRoles, action, resource, (all, names, wanted, on) => {
      expect(allowed(all, names, wanted, on)).toBe(isGranted(rulesOf(all, names), wanted, on))
    }),
    { numRuns: 2_000 },
  )
})

test('adding a rule, a role or an inclusion never takes away', () => {
  fc.assert(
    fc.property(roles, someRoles, action, resource, rule, fc.constantFrom(...roleNames), (...all) => {
      const [before, names, wanted, on, added, to] = all
      if (!allowed(before, names, wanted, on)) return
      const changed = before[to]
      expect(
        allowed({ ...before, [to]: { ...changed, rules: [added, ...changed.rules] } }, names, wanted, on),
      ).toBe(true)
      expect(allowed({ ...before, [to]: { ...changed, includes: roleNames } }, names, wanted, on)).toBe(true)
      expect(allowed(before, [to, ...names], wanted, on)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('including a role is the same as having its rules', () => {
  fc.assert(
    fc.property(roles, action, resource, (all, wanted, on) => {
      const inlined = { all: { rules: rulesOf(all, ['r0']) } }
      expect(allowed(inlined, ['all'], wanted, on)).toBe(allowed(all, ['r0'], wanted, on))
      expect(new RightsTable(inlined).of(['all'], 'ada').fingerprint).toBe(
        new RightsTable(all).of(['r0'], 'ada').fingerprint,
      )
    }),
    { numRuns: 500 },
  )
})

test('order and duplicates of roles change neither decision nor reason nor fingerprint', () => {
  const twoOrders = someRoles.chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.shuffledSubarray([...new Set(names)], { minLength: new Set(names).size }),
    ),
  )
  fc.assert(
    fc.property(roles, twoOrders, action, resource, (all, [names, others], wanted, on) => {
      const table = new RightsTable(all)
      const [rights, same] = [table.of(names, 'ada'), table.of(others, 'ada')]
      expect(same.decide(wanted, on)).toEqual(rights.decide(wanted, on))
      expect(same.fingerprint).toBe(rights.fingerprint)
    }),
  )
})

test('streamsOf says of each stream what decide says; touchesType whether any action is', () => {
  const streamActions: readonly Action[] = ['append', 'read', 'subscribe', 'state', 'operate']
  fc.assert(
    fc.property(
      roles,
      someRoles,
      action,
      fc.oneof(word, fc.constant('')),
      word,
      (all, names, wanted, type, id) => {
        const rights = new RightsTable(all).of(names, 'ada')
        const decided = rights.decide(wanted, { kind: 'stream', type, id }).isAllowed
        const streams = rights.streamsOf(wanted, type)
        expect(typeof streams === 'function' ? streams(`${type}.${id}`) : streams === 'all').toBe(decided)
        expect(streams === 'all').toBe(rights.decide(wanted, { kind: 'type', type }).isAllowed)
        expect(streams !== 'none').toBe(rights.decide(wanted, { kind: 'category', type }).isAllowed)
        if (typeof streams === 'function') expect(streams(`other.${id}`)).toBe(false)
        expect(rights.touchesType(type)).toBe(
          streamActions.some((each) => rights.decide(each, { kind: 'category', type }).isAllowed),
        )
      },
    ),
    { numRuns: 2_000 },
  )
})

test('each decision has a short reason, whatever the request contains', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(
    fc.property(anyText, anyText, anyText, action, (name, type, id, wanted) => {
      const { isAllowed, reason } = new RightsTable({})
        .of([name], name)
        .decide(wanted, { kind: 'stream', type, id })
      expect(isAllowed).toBe(false)
      expect(reason.length).toBeLessThan(2_000)
      expect(reason).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u)
    }),
  )
})

test('all built-in roles are known, and own roles cannot replace them', () => {
  const nothing = Object.fromEntries(Object.keys(builtInRoles).map((name) => [name, { rules: [] }]))
  expect(allowed(nothing, ['admin'], 'administer', { kind: 'installation' })).toBe(true)
})
