/** What tells where units are, and how well. */
export function Devices() {
  return null;
}
