/** An element for an item, and how it shows what has changed in it. */
export interface Shown<Item> {
  readonly element: HTMLElement;
  update(item: Item): void;
}

/**
 * Keeps one element for each item, in their order. Those that stay are left in place, so that focus, selection and what
 * is unfolded stay, too.
 */
export class List<Item> {
  private readonly shown = new Map<string, Shown<Item>>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly keyOf: (item: Item) => string,
    private readonly make: (item: Item) => Shown<Item>,
  ) {}

  show(items: readonly Item[]): void {
    const keys = new Set(items.map(this.keyOf));
    for (const [key, { element }] of this.shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.shown.delete(key);
    }
    let place = this.parent.firstElementChild;
    for (const item of items) {
      const key = this.keyOf(item);
      const shown = this.shown.get(key) ?? this.make(item);
      this.shown.set(key, shown);
      if (shown.element === place) place = place.nextElementSibling;
      else this.parent.insertBefore(shown.element, place);
      shown.update(item);
    }
  }
}
