import { useMemo, useRef, useState } from "react";
import type { Placed } from "../lib/board";
import { clock } from "../lib/clock";
import { board, useBoard, useSecond } from "../lib/live";
import { frozenOrder, incidentOrder, isOverdue, isOver, isUnassigned, reportOrder } from "../lib/queue";
import type { Incident, Report } from "../lib/wire";

export type Filter = "all" | "unassigned" | "overdue";

const KEEP: Record<Filter, (incident: Incident, now: number) => boolean> = {
  all: () => true,
  unassigned: (incident) => isUnassigned(incident),
  overdue: isOverdue,
};

/** The order is thought over whenever the board changes and every five seconds (things become overdue by themselves). */
export function useIncidents(filter: Filter): Placed<Incident>[] {
  const revision = useBoard();
  const beat = Math.floor(useSecond() / 5_000);
  return useMemo(() => {
    void revision;
    void beat;
    const now = clock.now();
    const inDanger = new Set(board.sos().map(({ incident_id }) => incident_id));
    return board
      .incidents()
      .filter((incident) => inDanger.has(incident.id) || KEEP[filter](incident, now))
      .sort(incidentOrder(now, inDanger));
  }, [revision, beat, filter]);
}

export function useReports(): Placed<Report>[] {
  const revision = useBoard();
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

/** Holds a list still while `frozen`; what left the board stays in its place, greyed, so that nothing moves under the hand. */
export function useStill<T extends { subject: string }>(items: T[], frozen: boolean): Still<T> {
  const order = useRef<string[] | null>(null);
  const memory = useRef(new Map<string, T>());
  const [, again] = useState(0);
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
