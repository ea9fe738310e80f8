/** Who else is at the same incident: this window says where it is every few seconds and is told who is there. */
import { useEffect, useState } from "react";
import { api, newId } from "./api";
import { useSession } from "./session";

export type Editing = "" | "summary" | "type" | "place";

export interface Present {
  person_id: string;
  name: string;
  editing: Editing;
}

const EVERY = 5_000;
const SEAT = newId();
const AT_DESKS: ReadonlySet<string> = new Set(["call_taker", "dispatcher", "supervisor"]);
const NOBODY: Present[] = [];

const say = (incident_id: string | null, editing: Editing) => api<{ here: Present[] }>("/presence", { body: { seat: SEAT, incident_id, editing } });

/** The others at an incident, while this is shown. Nobody, where that cannot be told. */
export function useCompany(incident: string, editing: Editing): Present[] {
  const { person } = useSession();
  const atDesk = AT_DESKS.has(person.role);
  const [here, setHere] = useState(NOBODY);
  useEffect(() => {
    if (!atDesk) return;
    let left = false;
    const ask = () =>
      void say(incident, editing).then(
        (found) => !left && setHere(found.here),
        () => !left && setHere(NOBODY),
      );
    ask();
    const timer = setInterval(ask, EVERY);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [incident, editing, atDesk]);
  useEffect(() => {
    if (atDesk) return () => void say(null, "").catch(() => undefined);
  }, [incident, atDesk]);
  return here;
}
