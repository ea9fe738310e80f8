/** Who goes to what: run cards, edited with a preview and tried on the past. */
export function Cards() {
  return null;
}
