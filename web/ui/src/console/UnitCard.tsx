import { Button } from "@mantine/core";
import type { Placed } from "../lib/board";
import { age, ago, stamp } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { AGE_SHOWN_AFTER, signalLost } from "../lib/queue";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { UnitPill } from "../lib/ui/UnitPill";
import { duty } from "../lib/verbs";
import type { Unit } from "../lib/wire";
import { AssignmentButtons } from "./Assignments";
import { CardHead } from "./CardHead";
import { select } from "./desk";
import { useAct } from "./useAct";

export function UnitCard({ unit }: { unit: Placed<Unit> }) {
  useBoard();
  const now = useSecond();
  const mayManage = useMay("unit.manage");
  const { busy, failure, act } = useAct();
  const position = board.positions.get(unit.id);
  const old = position ? now - position.fixedAt : null;
  const working = unit.assignment_id !== null;
  const to = (next: "on_duty" | "break" | "out_of_service") => void act(() => duty(unit.id, next)).then((done) => done !== null && say(t(`units.now.${next}`, { unit: unit.call_sign })));
  const assignment = unit.incident_id ? board.incidents().find(({ id }) => id === unit.incident_id)?.assignments.find(({ id }) => id === unit.assignment_id) : undefined;
  return (
    <>
      <CardHead
        mark={<UnitPill status={unit.status} lost={signalLost(unit, position?.fixedAt, now)} />}
        title={unit.call_sign}
        code={word("kind", unit.kind)}
        place={unit.organization}
      />
      <dl className="facts">
        <dt>{t("units.status")}</dt>
        <dd>
          {word("unit", unit.status)} <small>{ago(unit.status_since, now)} · {stamp(unit.status_since, now)}</small>
        </dd>
        <dt>{t("units.position")}</dt>
        <dd>
          {old === null ? t("units.noPosition") : t("units.positionAge", { age: age(old) })}
          {old !== null && old >= AGE_SHOWN_AFTER && <small> {t("units.positionOld")}</small>}
        </dd>
        {position?.speed != null && (
          <>
            <dt>{t("units.speed")}</dt>
            <dd>{t("units.kmh", { n: Math.round(position.speed) })}</dd>
          </>
        )}
        {unit.base && (
          <>
            <dt>{t("units.base")}</dt>
            <dd>{unit.base}</dd>
          </>
        )}
        {unit.capabilities.length > 0 && (
          <>
            <dt>{t("units.capabilities")}</dt>
            <dd>{unit.capabilities.join(", ")}</dd>
          </>
        )}
      </dl>
      {unit.incident_id && (
        <section className="card-section">
          <h3>{t("units.working")}</h3>
          <button type="button" className="link-button" onClick={() => select(`incident:${unit.incident_id ?? ""}`)}>
            {unit.incident_code}
          </button>
          {assignment && <AssignmentButtons assignment={assignment} />}
        </section>
      )}
      <section className="card-section">
        <a href={`/recursos?ver=recorrido&movil=${unit.id}`} target="_blank" rel="noopener">
          {t("track.see")}
        </a>
      </section>
      {mayManage && (
        <section className="card-section card-actions">
          {unit.status === "break" || unit.status === "out_of_service" ? (
            <Button size="sm" loading={busy} onClick={() => to("on_duty")}>
              {t("units.toDuty")}
            </Button>
          ) : (
            <>
              <Button size="sm" variant="default" disabled={working} loading={busy} onClick={() => to("break")}>
                {t("units.toBreak")}
              </Button>
              <Button size="sm" variant="default" disabled={working} loading={busy} onClick={() => to("out_of_service")}>
                {t("units.toOut")}
              </Button>
            </>
          )}
          {working && <p className="hint">{t("units.busyHint")}</p>}
          {failure && <p className="form-failure" role="alert">{failure}</p>}
        </section>
      )}
    </>
  );
}
