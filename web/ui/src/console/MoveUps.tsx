/** Who could stand elsewhere so that the city is covered again. */
export function MoveUps() {
  return null;
}
