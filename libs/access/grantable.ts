import type { Action } from './action.ts'
import type { Pattern } from './pattern.ts'

type Kind = Exclude<Pattern['kind'], 'everything'>

/** With what an action can be done. */
const grantable: Readonly<Record<Action, readonly Kind[]>> = {
  append: ['stream'],
  read: ['stream'],
  subscribe: ['stream'],
  state: ['stream'],
  view: ['projection'],
  operate: ['stream', 'projection', 'installation'],
  administer: ['installation'],
  'annals:act-as': ['user'],
}

/** Whether an action can be done with resources of a pattern at all. */
export const isGrantable = (action: Action, { kind }: Pattern): boolean =>
  kind === 'everything' || grantable[action].includes(kind)

/** What to write in a rule for an action: `a stream`, `a projection`. */
export const grantableOn = (action: Action): string => grantable[action].join(', ')
