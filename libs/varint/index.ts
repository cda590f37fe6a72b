export {
  readSignedVarint,
  readVarint,
  varintBytesMax,
  type VarintCursor,
  varintLength,
  writeSignedVarint,
  writeVarint,
} from './varint.ts'
