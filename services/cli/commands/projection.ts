import type { Command } from 'commander'

import type { Cli } from '../cli.ts'
import { addProjectionChanges } from './projection-changes.ts'
import { addProjectionList, addProjectionShow } from './projection-show.ts'
import { addProjectionRebuild } from './projection-rebuild.ts'
import { addProjectionViews } from './projection-views.ts'

export function addProjection(program: Command, cli: Cli): void {
  const projection = program.command('projection').description('Inspect and rebuild projections.')
  addProjectionList(projection, cli)
  addProjectionShow(projection, cli)
  addProjectionViews(projection, cli)
  addProjectionRebuild(projection, cli)
  addProjectionChanges(projection, cli)
}
