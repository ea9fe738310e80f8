/** What units can do, and what it takes. */
export function Capabilities() {
  return null;
}
