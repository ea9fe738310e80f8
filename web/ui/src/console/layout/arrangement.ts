/** Each person's arrangement of the desk, kept on this PC; never by incident. */
import { arrangementFrom, BLANK, layoutOf, sizesKey, type Arrangement, type Layout, type Sizes } from "../../lib/layout";
import type { Person } from "../../lib/wire";
import { desk } from "../desk";

const PREFIX = "vigia:disposicion:";
let owner: Person | null = null;
let held: Arrangement = BLANK;

function keep(change: Partial<Arrangement>): void {
  held = { ...held, ...change };
  if (!owner) return;
  try {
    localStorage.setItem(PREFIX + owner.id, JSON.stringify(held));
  } catch {
    // Not remembered, then.
  }
}

/** The desk as this person left it, or as the role begins. */
export function arrangeFor(person: Person): void {
  if (owner?.id === person.id) return;
  owner = person;
  let kept: unknown = null;
  try {
    kept = JSON.parse(localStorage.getItem(PREFIX + person.id) ?? "null");
  } catch {
    // Whatever it was, the role's beginning is better.
  }
  held = arrangementFrom(kept);
  desk.setState({ layout: held.layout ?? layoutOf(person.role), foot: held.foot });
}

/** Another layout: same parts, each as it was; the focus stays where it is if that is still on the screen. */
export function setLayout(layout: Layout): void {
  const { activeElement } = document;
  const scrolled = [...document.querySelectorAll<HTMLElement>(".desk-grid [data-scroll]")].map((element) => [element, element.scrollTop] as const);
  desk.setState({ layout });
  keep({ layout });
  requestAnimationFrame(() => {
    for (const [element, top] of scrolled) element.scrollTop = top;
    if (activeElement instanceof HTMLElement && activeElement.isConnected && document.activeElement !== activeElement) activeElement.focus({ preventScroll: true });
  });
}

export function toggleFoot(): void {
  const foot = !desk.getState().foot;
  desk.setState({ foot });
  keep({ foot });
}

export const keptSizes = (layout: Layout, apart: boolean): Sizes | undefined => held.sizes[sizesKey(layout, apart)];

export const keepSizes = (layout: Layout, apart: boolean, sizes: Sizes): void => keep({ sizes: { ...held.sizes, [sizesKey(layout, apart)]: sizes } });

export function forgetSizes(layout: Layout, apart: boolean): void {
  const key = sizesKey(layout, apart);
  keep({ sizes: Object.fromEntries(Object.entries(held.sizes).filter(([name]) => name !== key)) });
}

