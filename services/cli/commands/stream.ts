import type { Command } from 'commander'

import type { Cli } from '../cli.ts'
import { addStreamHistory } from './stream-history.ts'
import { addStreamShow } from './stream-show.ts'
import { addStreamState } from './stream-state.ts'

export function addStream(program: Command, cli: Cli): void {
  const stream = program.command('stream').description('Inspect a stream.')
  addStreamShow(stream, cli)
  addStreamHistory(stream, cli)
  addStreamState(stream, cli)
}
