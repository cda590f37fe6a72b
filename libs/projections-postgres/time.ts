/** SQL for a time given in milliseconds since 1970. */
export const timeOf = (milliseconds: string): string => `to_timestamp(${milliseconds}::float8 / 1000)`

/** The reverse of {@link timeOf}. */
export const millisecondsOf = (time: string): string => `round(extract(epoch FROM ${time}) * 1000)::float8`
