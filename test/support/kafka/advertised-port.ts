/**
 * Replaces the broker's port with a proxy's in the addresses that a broker's answer advertises, so that clients keep using the proxy.
 * @param answer changed in place; addresses are on 127.0.0.1.
 */
export function replaceAdvertisedPort(answer: Buffer, brokerPort: number, proxyPort: number): Buffer {
  const port = Buffer.alloc(4)
  port.writeInt32BE(brokerPort)
  const address = Buffer.concat([Buffer.from('127.0.0.1'), port])
  for (let at = answer.indexOf(address); at >= 0; at = answer.indexOf(address, at + 1)) {
    answer.writeInt32BE(proxyPort, at + address.length - 4)
  }
  return answer
}
