/** What there is of everything, and what runs low. */
export function Stock() {
  return null;
}
