export {
  formatDate,
  formatMicros,
  formatMillis,
  parseBound,
  parseDate,
  parseMicros,
  parseMillis,
} from './calendar.ts'
