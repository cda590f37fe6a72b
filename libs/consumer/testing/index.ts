export { consumedMessage } from './consumed-message.ts'
export { catalog, type DecoderFixture, decoderFixture, topic } from './decoder-fixture.ts'
