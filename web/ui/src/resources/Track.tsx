/** Where a unit was, played again. */
export function Track() {
  return null;
}
