import { accessCommands } from './access-commands.ts'
import { apiCommands } from './api-commands.ts'
import { directCommands } from './direct-commands.ts'
import type { CommandReach } from './reach.ts'

const filesOnly: CommandReach = {}

const fileCommands = {
  'context list': filesOnly,
  'context show': filesOnly,
  'context use': filesOnly,
  'context put': filesOnly,
  'context remove': filesOnly,
  'backup list': filesOnly,
  'backup check': filesOnly,
  'schemas infer': filesOnly,
  'schemas check': filesOnly,
  'schemas types': filesOnly,
  'schemas release': filesOnly,
  'access check': filesOnly,
  completion: filesOnly,
  version: filesOnly,
} as const satisfies Readonly<Record<string, CommandReach>>

/**
 * What each command reaches, by its path: `topics list`. A new command must be added: a test walks all commands, and compares this table
 * with what they do.
 */
export const commandReach: Readonly<Record<string, CommandReach>> = {
  ...apiCommands,
  ...directCommands,
  ...accessCommands,
  ...fileCommands,
}
