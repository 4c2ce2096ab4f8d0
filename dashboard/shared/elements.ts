/** The element with this id, which the page's HTML is known to have. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}`);
  return element as Type;
}

type Child = Node | string;

/** A new element. Strings become text, never markup. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** Writes text where it differs: an unchanged node costs no layout, and says nothing to a screen reader. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Runs the work at most once a frame, however often it is asked for, and rests four times as long as it took, so that
 * a slow machine has time for its user.
 */
export function oncePerFrame(work: () => void): () => void {
  let asked = false;
  let restsUntil = 0;
  const run = () => {
    asked = false;
    const started = performance.now();
    work();
    // What the browser itself does about it comes after the work: the next turn is when that is done.
    setTimeout(() => {
      const now = performance.now();
      restsUntil = now + 4 * (now - started);
    });
  };
  return () => {
    if (asked) return;
    asked = true;
    const rest = restsUntil - performance.now();
    if (rest > 0) setTimeout(() => requestAnimationFrame(run), rest);
    else requestAnimationFrame(run);
  };
}
