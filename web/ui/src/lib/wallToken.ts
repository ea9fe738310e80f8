/** A wall's token, out of the address bar before anything is asked for: not in the history, not in a Referer, not in a photograph. */
const given = new URLSearchParams(location.search).get("token");
export const wallToken: { held: string | null } = { held: location.pathname.startsWith("/pared") ? given : null };
if (wallToken.held !== null) history.replaceState(null, "", location.pathname);
