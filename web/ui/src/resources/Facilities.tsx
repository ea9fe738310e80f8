/** Bases, hospitals with their beds, shelters with their places, hydrants, cameras. */
export function Facilities() {
  return null;
}
