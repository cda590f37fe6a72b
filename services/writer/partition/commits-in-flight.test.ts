import { setImmediate as turn } from 'node:timers/promises'

import { expect, test, vi } from 'vitest'

import { CommitsInFlight } from './commits-in-flight.ts'

const commitsMax = 8

/** Commits in flight, and the answers that Redis still owes. */
function inFlight(count: number) {
  const onFailed = vi.fn<() => void>()
  const commits = new CommitsInFlight(onFailed)
  const add = () => {
    const answer = Promise.withResolvers<boolean>()
    commits.add(answer.promise)
    return answer.resolve
  }
  return { commits, onFailed, add, answers: Array.from({ length: count }, add) }
}

/** Whether a promise is resolved when everything that can run has run. */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  let resolved = false
  void promise.then(() => (resolved = true))
  await turn()
  return resolved
}

test('there is room for eight commits, and for another one as soon as one is answered', async () => {
  const { commits, add, answers } = inFlight(commitsMax - 1)
  expect(await isResolved(commits.room())).toBe(true)
  answers.push(add())
  const room = commits.room()
  expect(await isResolved(room)).toBe(false)
  answers[0]?.(true)
  expect(await isResolved(room)).toBe(true)
})

test('commits are settled when all are answered, also those that were added meanwhile', async () => {
  const { commits, add, answers } = inFlight(2)
  const settled = commits.settled()
  const later = add()
  for (const answer of answers) answer(true)
  expect(await isResolved(settled)).toBe(false)
  later(true)
  expect(await isResolved(settled)).toBe(true)
  expect(await isResolved(commits.settled())).toBe(true)
})

test('a failed commit is reported, and others are not', async () => {
  const { commits, onFailed, answers } = inFlight(3)
  answers[0]?.(true)
  await turn()
  expect(onFailed).not.toHaveBeenCalled()
  answers[1]?.(false)
  await turn()
  expect(onFailed).toHaveBeenCalledTimes(1)
  answers[2]?.(false)
  await commits.settled()
  expect(onFailed).toHaveBeenCalledTimes(2)
})

test('a commit that is answered before an earlier one makes room, and the others are still awaited', async () => {
  const { commits, answers } = inFlight(commitsMax)
  const room = commits.room()
  answers.at(-1)?.(false)
  expect(await isResolved(room)).toBe(true)
  for (const answer of answers.slice(1)) answer(true)
  const settled = commits.settled()
  expect(await isResolved(settled)).toBe(false)
  answers[0]?.(true)
  expect(await isResolved(settled)).toBe(true)
})
