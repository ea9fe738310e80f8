/** Whether the city is in storm mode, and what that gathers. */
export function StormStrip() {
  return null;
}
