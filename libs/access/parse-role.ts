import { InvalidInputError, quote, suggestion } from '#domain'

import type { LimitsOfRole, Role, Rule } from './access-document.ts'
import { type Action, actions } from './action.ts'
import { builtInRoles } from './built-in-roles.ts'
import { fieldsOf, inside, listOf, textOf, wrong } from './fields.ts'
import { grantableOn, isGrantable } from './grantable.ts'
import { limitNames } from './limits-of-roles.ts'
import { parsePattern } from './pattern.ts'

const roleNamePattern = /^[A-Za-z0-9][\w.:/-]{0,99}$/
const includesMax = 100
const descriptionLengthMax = 1_000
const patternLengthMax = 400
/** In all rules of a role. */
const patternsMax = 10_000

/**
 * Checks the name of an own role and returns it: up to 100 letters, digits and `_ . : / -`, the first a letter or digit.
 * @throws InvalidInputError for anything else, and for the name of a built-in role.
 */
export function parseRoleName(name: string, path: string): string {
  if (Object.hasOwn(builtInRoles, name)) {
    throw new InvalidInputError(path, `${path}: role ${name} is built in: expected another name`)
  }
  if (roleNamePattern.test(name)) return name
  throw new InvalidInputError(
    path,
    `${path}: role name ${quote(name)} is malformed: expected 1 to 100 letters, digits and _ . : / -, starting with a letter or digit`,
  )
}

/**
 * Checks a role by itself. Whether the roles exist that it includes is checked with the whole document.
 * @param path path of the role, for errors
 * @throws InvalidInputError with the path of the first field that is wrong.
 */
export function parseRole(json: unknown, path: string): Role {
  const fields = fieldsOf(json, path, ['description', 'includes', 'rules', 'limits'])
  const rules = listOf(fields.rules, inside(path, 'rules'), 'rules', parseRule)
  const patterns = rules.reduce((sum, { on }) => sum + on.length, 0)
  if (patterns > patternsMax) {
    throw new InvalidInputError(path, `${path} has ${patterns} patterns: expected at most ${patternsMax}`)
  }
  return {
    ...(fields.description !== undefined && {
      description: textOf(fields.description, inside(path, 'description'), descriptionLengthMax),
    }),
    ...(fields.includes !== undefined && {
      includes: parseRoleNames(fields.includes, inside(path, 'includes')),
    }),
    rules,
    ...(fields.limits !== undefined && { limits: parseLimits(fields.limits, inside(path, 'limits')) }),
  }
}

/** Names of roles that may be built in. @throws InvalidInputError */
export const parseRoleNames = (value: unknown, path: string): readonly string[] =>
  listOf(
    value,
    path,
    'role names',
    (name, place) =>
      typeof name === 'string' && roleNamePattern.test(name)
        ? name
        : wrong(place, name, 'the name of a role'),
    includesMax,
  )

function parseRule(json: unknown, path: string): Rule {
  const fields = fieldsOf(json, path, ['actions', 'on'])
  const rule = {
    actions: listOf(fields.actions, inside(path, 'actions'), 'actions', parseAction, actions.length),
    on: listOf(fields.on, inside(path, 'on'), 'patterns', parsePatternText),
  }
  checkEachGrants(rule, path)
  return rule
}

function parseAction(value: unknown, path: string): Action {
  const action = actions.find((each) => each === value)
  if (action !== undefined) return action
  if (typeof value !== 'string') return wrong(path, value, `one of ${actions.join(', ')}`)
  throw new InvalidInputError(
    path,
    `${path}: there is no action ${quote(value)}${suggestion(value, actions)}`,
  )
}

function parsePatternText(value: unknown, path: string): string {
  const text = textOf(value, path, patternLengthMax)
  parsePattern(text, path)
  return text
}

/** `append` on `projection:loans` grants nothing: whoever wrote it meant something else. */
function checkEachGrants(rule: Rule, path: string): void {
  if (rule.actions.length === 0) wrong(inside(path, 'actions'), rule.actions, 'at least one action')
  if (rule.on.length === 0) wrong(inside(path, 'on'), rule.on, 'at least one pattern')
  const patterns = rule.on.map((text) => parsePattern(text, path))
  for (const [index, action] of rule.actions.entries()) {
    if (patterns.some((pattern) => isGrantable(action, pattern))) continue
    const place = `${inside(path, 'actions')}[${index}]`
    throw new InvalidInputError(
      place,
      `${place}: no pattern of the rule fits ${action}: expected one of kind ${grantableOn(action)}`,
    )
  }
  for (const [index, pattern] of patterns.entries()) {
    if (rule.actions.some((action) => isGrantable(action, pattern))) continue
    const place = `${inside(path, 'on')}[${index}]`
    throw new InvalidInputError(
      place,
      `${place}: no action of the rule can be done with ${quote(rule.on[index])}`,
    )
  }
}

function parseLimits(json: unknown, path: string): LimitsOfRole {
  const fields = fieldsOf(json, path, limitNames)
  for (const name of limitNames) {
    const value = fields[name]
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)) continue
    wrong(inside(path, name), value, 'a whole number greater than 0')
  }
  return fields as LimitsOfRole
}
