import { expect, test } from 'vitest'

import { scramVerifier } from './scram.ts'

// Computed by PostgreSQL 15: SELECT rolpassword FROM pg_authid after ALTER ROLE … PASSWORD 'pencil'.
const stored =
  'SCRAM-SHA-256$4096:Q+spC499AVXU8+400qH2zg==$66/jpaVTYmldg0yWHtmRiDn5WnDCTkA67morL5mcH3Y=:e5RXf3uDZ2H9VCboQEnfj8RxHjvDNRrYn+l1QNItV5g='

test('the verifier is the one that PostgreSQL computes', () => {
  const salt = Buffer.from(stored.split(/[:$]/)[2] ?? '', 'base64')
  expect(scramVerifier('pencil', salt)).toBe(stored)
})
