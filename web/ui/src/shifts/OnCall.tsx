/** Who is woken, and in which order. */
export function OnCall() {
  return null;
}
