/** How fast help should be anywhere, and how much of the city that must hold for. */
export function Coverage() {
  return null;
}
