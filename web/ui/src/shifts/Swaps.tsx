/** Who asks to swap, and who says yes. */
export function Swaps() {
  return null;
}
