/** The units: what they are, what they can do, what they drive and carry. */
export function Units() {
  return null;
}
