/** Who sits here. Signing in never leaves the screen when it is a session that ended: the form comes over it. */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { api } from "./api";
import { clock } from "./clock";
import { draftsOf } from "./drafts";
import { useInPast } from "./moment";
import type { Permission, Session } from "./wire";

export const session = createStore<{ session: Session | null }>(() => ({ session: null }));

function enter(found: Session): Session {
  draftsOf(found.person.id); // whoever hears that somebody entered reads his drafts
  session.setState({ session: found });
  clock.heard(found.server_time);
  return found;
}

export const loadSession = async (): Promise<Session> => enter(await api<Session>("/session", { signingIn: true }));

export const signIn = async (username: string, password: string): Promise<Session> =>
  enter(await api<Session>("/session", { body: { username, password }, signingIn: true }));

/** The token of a wall's link becomes this browser's session. */
export const openWall = async (token: string): Promise<Session> => enter(await api<Session>("/session/wall", { body: { token }, signingIn: true }));

export async function signOut(): Promise<void> {
  await api("/session", { method: "DELETE" }).catch(() => null);
  location.assign("/ingresar");
}

export const homeOf = (role: string): string => (role === "wall" ? "/pared" : "/consola");

/** Only our own screens: what comes in the address bar is not to be trusted. */
export function destination(role: string, search: string): string {
  const back = new URLSearchParams(search).get("volver");
  return back !== null && /^\/(consola|consola\/mapa|pared|turnos|recursos|tarjetas)$/.test(back) && role !== "wall" ? back : homeOf(role);
}

export function useSession(): Session {
  const found = useStore(session, (state) => state.session);
  if (!found) throw new Error("no session");
  return found;
}

/** Where the map begins; the whole country while the city has no zones. */
const COUNTRY: [number, number, number, number] = [-73.6, -55.1, -53.6, -21.8];
export const useBounds = (): [number, number, number, number] => useSession().city.bounds ?? COUNTRY;

/** What this person was granted. */
export const useGranted = (permission: Permission): boolean => useSession().permissions.includes(permission);

/** What this person may do with what the screen shows: of the past nobody may do anything but look at it. */
export function useMay(permission: Permission): boolean {
  const past = useInPast();
  return useGranted(permission) && (!past || permission === "past.look");
}
