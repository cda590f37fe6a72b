import { expect, test } from 'vitest'

import { isLoopback } from './is-loopback.ts'

test.each(['localhost', '127.0.0.1', '127.9.8.7', '::1', '[::1]'])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example', '1127.0.0.1', ''])(
  '%s is reached by others',
  (host) => {
    expect(isLoopback(host)).toBe(false)
  },
)
