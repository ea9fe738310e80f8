import { CloseButton } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { inForce, toCome, validity, whoPasses } from "../lib/closures";
import { age, distance, metresBetween, placeLine } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { inOrder, unitOrder } from "../lib/queue";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { TargetTimer } from "../lib/ui/Timer";
import { UnitPill } from "../lib/ui/UnitPill";
import { desk, select, stage, useDesk } from "./desk";

/** The same as the map shows, as two tables: for the keyboard, for screen readers, for when there is no WebGL. */
export function MapList({ onClose }: { onClose: () => void }) {
  useBoard();
  const now = useSecond();
  const selected = useDesk((state) => state.selected);
  const [, moved] = useState(0);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => stage.map?.onMoved(() => moved((n) => n + 1)), []);
  useEffect(() => {
    if (desk.getState().list) title.current?.focus();
  }, []);

  const inView = (at: [number, number] | null) => at !== null && (stage.map?.contains(at) ?? true);
  const incidents = inOrder(
    board.incidents().filter(({ at, masked }) => !masked && inView(at)),
    now,
  );
  const units = board
    .units()
    .flatMap((unit) => {
      const position = board.positions.get(unit.id);
      const at: [number, number] | null = position ? [position.lon, position.lat] : null;
      return inView(at) && position && at ? [{ unit, position, at }] : [];
    })
    .sort((a, b) => unitOrder(a.unit, b.unit));
  // Those to come are nowhere on the map yet, and those elsewhere still turn ambulances away: all of them.
  const closures = board.closures().filter((closure) => inForce(closure, now) || toCome(closure, now));
  const nearest = (at: [number, number]): string => {
    let best: { metres: number; place: string } | null = null;
    for (const { at: there, place } of incidents) {
      if (!there || !place) continue;
      const metres = metresBetween(at, there);
      if (!best || metres < best.metres) best = { metres, place };
    }
    return best ? t("map.nearIncident", { distance: distance(best.metres), place: best.place }) : "—";
  };
  return (
    <div className="map-list">
      <header>
        <h2 ref={title} tabIndex={-1}>
          {t("map.listTitle", { incidents: t("map.incidents", { count: incidents.length }), units: t("map.units", { count: units.length }) })}
        </h2>
        <CloseButton aria-label={t("map.asMap")} onClick={onClose} />
      </header>
      <table>
        <caption>{t("queue.incidents")}</caption>
        <thead>
          <tr>
            {["priority", "type", "place", "state", "time"].map((column) => (
              <th key={column} scope="col">
                {t(`map.columns.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {incidents.map((incident) => (
            <tr key={incident.subject} aria-current={selected === incident.subject || undefined}>
              <td>
                <PriorityMark level={incident.priority} size={22} />
              </td>
              <td>
                <button type="button" className="link-button" onClick={() => select(incident.subject)}>
                  {incident.type_name}
                </button>
                <small>{incident.code}</small>
              </td>
              <td>{placeLine(incident.place, incident.zone)}</td>
              <td>{word("state", incident.state)}</td>
              <td>
                <TargetTimer incident={incident} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {closures.length > 0 && (
        <table>
          <caption>{t("closure.list")}</caption>
          <thead>
            <tr>
              {["what", "why", "when", "passing"].map((column) => (
                <th key={column} scope="col">
                  {t(`closure.columns.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {closures.map((closure) => (
              <tr key={closure.subject} aria-current={selected === closure.subject || undefined}>
                <td>
                  <button type="button" className="link-button" onClick={() => select(closure.subject)}>
                    {t(`closure.kind.${closure.kind}`)}
                  </button>
                  {!inForce(closure, now) && <small>{t("closure.isToCome")}</small>}
                </td>
                <td>{closure.reason}</td>
                <td>{validity(closure, now)}</td>
                <td>{whoPasses(closure.passable_by)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <table>
        <caption>{t("units.title")}</caption>
        <thead>
          <tr>
            {["unit", "status", "where", "age"].map((column) => (
              <th key={column} scope="col">
                {t(`map.columns.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {units.map(({ unit, position, at }) => (
            <tr key={unit.subject} aria-current={selected === unit.subject || undefined}>
              <td>
                <button type="button" className="link-button" onClick={() => select(unit.subject)}>
                  {unit.call_sign}
                </button>
              </td>
              <td>
                <UnitPill status={unit.status} /> {word("unit", unit.status)}
                {unit.incident_code ? ` · ${unit.incident_code}` : ""}
              </td>
              <td>{nearest(at)}</td>
              <td>{age(now - position.fixedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
