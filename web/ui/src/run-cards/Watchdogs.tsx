/** After how long a silence becomes an alarm. */
export function Watchdogs() {
  return null;
}
