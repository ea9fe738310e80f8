/** What somebody must look at now. */
export function AlarmStrip() {
  return null;
}
