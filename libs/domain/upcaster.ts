import { InvalidInputError } from './invalid-input.ts'

/** Converts event data of schema version `fromVersion` to `fromVersion + 1`. A pure function. */
export interface Upcaster {
  readonly aggregateType: string
  readonly eventType: string
  readonly fromVersion: number
  upcast(data: unknown): unknown
}

/** The definition of an upcaster, typed by the data before and after the step. */
export interface UpcasterDefinition<From, To> {
  readonly aggregateType: string
  readonly eventType: string
  /** Schema version of `From`, from 1. */
  readonly fromVersion: number
  readonly upcast: (data: From) => To
}

/** All upcasters of a domain, applied in sequence. */
export interface UpcasterChain {
  /**
   * Converts data from schema version `fromVersion` to `toVersion`. A step without an upcaster is compatible: Avro's schema
   * resolution covers it, so the data passes unchanged.
   * @throws InvalidInputError when `toVersion` is below `fromVersion`, or an upcaster fails.
   */
  upcast(
    aggregateType: string,
    eventType: string,
    fromVersion: number,
    toVersion: number,
    data: unknown,
  ): unknown
  /** Whether there is an upcaster from this version to the next. */
  has(aggregateType: string, eventType: string, fromVersion: number): boolean
}

/**
 * Defines an upcaster: `defineUpcaster<OrderPlacedV1, OrderPlacedV2>({ …, upcast: (data) => … })`.
 * The types are not checked at run time: the schema of the stored data ensures that it has the shape of `From`.
 * @throws InvalidInputError when `fromVersion` is not a whole number from 1.
 */
export function defineUpcaster<From, To>(definition: UpcasterDefinition<From, To>): Upcaster {
  const { aggregateType, eventType, fromVersion, upcast } = definition
  if (!Number.isSafeInteger(fromVersion) || fromVersion < 1) {
    throw new InvalidInputError(
      'upcasters',
      `upcaster of ${aggregateType}.${eventType} has fromVersion ${fromVersion}: expected a whole number from 1`,
    )
  }
  return { aggregateType, eventType, fromVersion, upcast: (data) => upcast(data as From) }
}

const stepOf = (aggregateType: string, eventType: string, fromVersion: number): string =>
  `${aggregateType}.${eventType} from version ${fromVersion} to ${fromVersion + 1}`

/** Builds a chain that runs upcasters from oldest to newest, in any order of the list. @throws InvalidInputError when two upcasters cover the same step. */
export function createUpcasterChain(upcasters: readonly Upcaster[]): UpcasterChain {
  const steps = new Map<string, Upcaster>()
  for (const upcaster of upcasters) {
    const step = stepOf(upcaster.aggregateType, upcaster.eventType, upcaster.fromVersion)
    if (steps.has(step)) {
      throw new InvalidInputError('upcasters', `two upcasters for ${step}: expected at most one`)
    }
    steps.set(step, upcaster)
  }
  return {
    upcast(aggregateType, eventType, fromVersion, toVersion, data) {
      if (fromVersion > toVersion) {
        throw new InvalidInputError(
          'schemaVersion',
          `${aggregateType}.${eventType} was written with schema version ${fromVersion}, but only versions up to ${toVersion} are known here: deploy the newer domain module`,
        )
      }
      let upcasted = data
      for (let version = fromVersion; version < toVersion; version++) {
        const step = stepOf(aggregateType, eventType, version)
        const upcaster = steps.get(step)
        if (upcaster !== undefined) upcasted = runStep(step, upcaster, upcasted)
      }
      return upcasted
    },
    has: (aggregateType, eventType, fromVersion) => steps.has(stepOf(aggregateType, eventType, fromVersion)),
  }
}

function runStep(step: string, upcaster: Upcaster, data: unknown): unknown {
  try {
    return upcaster.upcast(data)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidInputError('data', `upcaster for ${step} failed: ${reason}`, { cause })
  }
}
