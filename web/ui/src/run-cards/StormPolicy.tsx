/** When the city is in a storm, and what that changes. */
export function StormPolicy() {
  return null;
}
