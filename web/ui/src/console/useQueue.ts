import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import type { Placed } from "../lib/board";
import { board, useEvery, useKinds } from "../lib/live";
import { shownClock, useInPast } from "../lib/moment";
import { frozenOrder, inOrder, isOverdue, isOver, isUnassigned, reportOrder } from "../lib/queue";
import { useSession } from "../lib/session";
import { myIncidents } from "../lib/verbs";
import type { Incident, Report } from "../lib/wire";

export const FILTERS = ["all", "mine", "unassigned", "overdue"] as const;
export type Filter = (typeof FILTERS)[number];

const NONE: ReadonlySet<string> = new Set();

/**
 * What this person took or works on: incidents in whose story they did something, and those of which their organisation is in charge by
 * its zone. Asked again whenever incidents change, while somebody looks at it.
 */
function useMine(wanted: boolean): { mine: (incident: Incident) => boolean; known: boolean } {
  const { person } = useSession();
  const { data } = useQuery({ queryKey: ["mine", person.id], queryFn: myIncidents, enabled: wanted, refetchInterval: 5_000 });
  const ids = useMemo(() => (data ? new Set(data.incident_ids) : NONE), [data]);
  const desk = person.organization.name;
  return useMemo(() => ({ mine: (incident) => ids.has(incident.id) || (incident.desk ?? "") === desk, known: ids !== NONE }), [ids, desk]);
}

/** The order is thought over whenever something in it changes and every five seconds (things become overdue by themselves). */
export function useIncidents(filter: Filter): { list: Placed<Incident>[]; question: string } {
  const revision = useKinds("incident", "sos");
  const beat = useEvery(5);
  const past = useInPast();
  // Who took what is asked of the present; of the past only whose zone it was is known.
  const { mine, known } = useMine(filter === "mine" && !past);
  const list = useMemo(() => {
    void revision;
    void beat;
    const now = shownClock.now();
    const inDanger = new Set(board.sos().map(({ incident_id }) => incident_id));
    const keeps = (incident: Incident): boolean =>
      filter === "all" || (filter === "mine" ? mine(incident) : filter === "unassigned" ? isUnassigned(incident) : isOverdue(incident, now));
    return inOrder(
      board.incidents().filter((incident) => inDanger.has(incident.id) || keeps(incident)),
      now,
      inDanger,
    );
  }, [revision, beat, filter, mine]);
  return { list, question: `${past ? "past:" : ""}${filter === "mine" ? `mine:${known}` : filter}` };
}

export function useReports(): Placed<Report>[] {
  const revision = useKinds("report");
  return useMemo(() => {
    void revision;
    return board.reports().filter(({ status }) => status === "received").sort(reportOrder);
  }, [revision]);
}

export interface Still<T> {
  rows: { item: T; gone: boolean }[];
  /** Came while the list was held still. */
  held: T[];
  thaw: () => void;
}

/** Holds a list still while `frozen`, unless another `question` is asked of it; what left the board stays in its place, greyed, so that nothing moves under the hand. */
export function useStill<T extends { subject: string }>(items: T[], frozen: boolean, question = ""): Still<T> {
  const order = useRef<string[] | null>(null);
  const memory = useRef(new Map<string, T>());
  const asked = useRef(question);
  const [, again] = useState(0);
  if (asked.current !== question) {
    asked.current = question;
    order.current = null;
    memory.current = new Map();
  }
  const ids = items.map(({ subject }) => subject);
  const { shown, held } = frozenOrder(frozen ? order.current : null, ids);
  order.current = shown;
  const present = new Map(items.map((item) => [item.subject, item]));
  const rows = shown.flatMap((id) => {
    const item = present.get(id) ?? memory.current.get(id);
    return item ? [{ item, gone: !present.has(id) }] : [];
  });
  memory.current = new Map(rows.map(({ item }) => [item.subject, item]));
  return {
    rows,
    held: held.flatMap((id) => present.get(id) ?? []),
    thaw: () => {
      order.current = null;
      again((n) => n + 1);
    },
  };
}

export { isOver };
