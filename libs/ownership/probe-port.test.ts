import { type AddressInfo, createServer, type Server } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { probePort } from './probe-port.ts'

async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { server, port: (server.address() as AddressInfo).port }
}

test('a port is open while a process listens, and refused afterwards', async () => {
  const { server, port } = await listening()
  expect(await probePort(`http://127.0.0.1:${port}/annals`)).toBe('open')
  await new Promise((resolve) => server.close(resolve))
  expect(await probePort(`http://127.0.0.1:${port}`)).toBe('refused')
  expect(await probePort(`https://127.0.0.1:${port}`)).toBe('refused')
})

test('a server that accepts and resets is not refused', async () => {
  const { server, port } = await listening()
  server.on('connection', (socket) => socket.resetAndDestroy())
  expect(await probePort(`http://127.0.0.1:${port}`)).not.toBe('refused')
})

test('a name with an address that accepts is open, one that refuses everywhere is refused', async () => {
  const { server, port } = await listening()
  expect(await probePort(`http://localhost:${port}`)).toBe('open')
  await new Promise((resolve) => server.close(resolve))
  expect(await probePort(`http://localhost:${port}`)).toBe('refused')
})

test('a name that does not resolve is unknown', async () => {
  expect(await probePort('http://nowhere.invalid:7400')).toBe('unknown')
})
