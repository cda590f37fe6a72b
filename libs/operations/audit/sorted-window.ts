/** Sorts a sequence that is almost in order, in bounded memory: an item that is late by more than `itemsMax` others stays late. */
export class SortedWindow<Item> {
  readonly #itemsMax: number
  readonly #keyOf: (item: Item) => number
  #items: Item[] = []

  constructor(itemsMax: number, keyOf: (item: Item) => number) {
    this.#itemsMax = itemsMax
    this.#keyOf = keyOf
  }

  /** Adds an item. @returns the smallest ones, in order, once there are too many. */
  add(item: Item): readonly Item[] {
    const key = this.#keyOf(item)
    // From the end, because almost all items are the largest. Equal ones keep their order.
    let at = this.#items.length
    while (at > 0 && this.#keyOf(this.#items[at - 1] as Item) > key) at--
    this.#items.splice(at, 0, item)
    // Half of them at once: removing from the front moves all others.
    return this.#items.length <= this.#itemsMax ? [] : this.#items.splice(0, Math.ceil(this.#itemsMax / 2))
  }

  /** All others, in order. */
  rest(): readonly Item[] {
    const rest = this.#items
    this.#items = []
    return rest
  }
}
