/** Signing in and out of duty with the vehicle's code and a PIN, on whatever telephone is at hand. */
export function Attendance() {
  return null;
}
