import { expect, test } from 'vitest'

import { ViewStoreUnavailableError } from '#projections'
import { postgresAsksForLogin } from '#projections-postgres'

import { postgresForFile } from '../../support/projections/test-postgres.ts'

const postgres = await postgresForFile()

test('a PostgreSQL that trusts everyone is recognised, also if a password is configured', async () => {
  expect(await postgresAsksForLogin(postgres.url)).toBe(false)
  expect(await postgresAsksForLogin(postgres.url.replace('annals@', 'annals:secret@'))).toBe(false)
})

test('a user that does not exist is no login, and a PostgreSQL that is down says nothing', async () => {
  expect(await postgresAsksForLogin(postgres.url.replace('annals@', 'nobody@'))).toBe(true)
  await postgres.stop()
  await expect(postgresAsksForLogin(postgres.url)).rejects.toThrow(ViewStoreUnavailableError)
  await postgres.restart()
})
