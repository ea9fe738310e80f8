/** A crew in danger: over everything, until somebody answers. */
export function SosBanner() {
  return null;
}
