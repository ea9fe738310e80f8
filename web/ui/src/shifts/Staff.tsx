/** The city's people: roles, credentials, hours. */
export function Staff() {
  return null;
}
