/** Who is on duty, hour by hour. */
export function Board() {
  return null;
}
