import { Button } from "@mantine/core";
import type { Placed } from "../lib/board";
import { age, ago, stamp } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { AGE_SHOWN_AFTER, signalLost } from "../lib/queue";
import { photoAddress, useSheet } from "../lib/resources";
import { useMay } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import { UnitPill } from "../lib/ui/UnitPill";
import { duty } from "../lib/verbs";
import type { Unit } from "../lib/wire";
import { Papers } from "../resources/papers";
import { UnitJobs } from "./Assignments";
import { CardHead } from "./CardHead";
import { CircuitOf } from "./Circuits";
import { StandBy } from "./MoveUps";
import { PastActs } from "./ReplayBar";
import { useAct } from "./useAct";

export function UnitCard({ unit }: { unit: Placed<Unit> }) {
  useBoard();
  const now = useSecond();
  const mayManage = useMay("unit.manage");
  const past = useInPast();
  const { busy, failure, act } = useAct();
  const position = board.positions.get(unit.id);
  const old = position ? now - position.fixedAt : null;
  const working = unit.assignment_id !== null;
  const to = (next: "on_duty" | "break" | "out_of_service") => void act(() => duty(unit.id, next)).then((done) => done !== null && say(t(`units.now.${next}`, { unit: unit.call_sign }), undoOf(done)));
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
            <dd>{unit.capabilities.map((code) => (unit.amounts[code] === undefined ? code : `${code} ${unit.amounts[code]}`)).join(", ")}</dd>
          </>
        )}
        {unit.home_zone && (
          <>
            <dt>{t("resources.unit.homeZone")}</dt>
            <dd>{unit.home_zone}</dd>
          </>
        )}
        {unit.notes && (
          <>
            <dt>{t("resources.unit.notes")}</dt>
            <dd>{unit.notes}</dd>
          </>
        )}
        {!past && <SheetFacts unit={unit} />}
      </dl>
      <UnitJobs unit={unit} />
      <CircuitOf unit={unit.id} />
      <StandBy unit={unit.id} />
      <section className="card-section">
        <a href={`/recursos?ver=recorrido&movil=${unit.id}`} target="_blank" rel="noopener">
          {t("track.see")}
        </a>
      </section>
      {past && <PastActs acts={[t("units.toBreak"), t("units.toOut")]} />}
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

/** In a line each: what it drives, with its papers, what it carries, a photo; all of it is on the desk of resources. */
function SheetFacts({ unit }: { unit: Unit }) {
  const { data: sheet } = useSheet(unit.id);
  const broken = sheet?.equipment.filter(({ state }) => state !== "working") ?? [];
  const photo = sheet?.photos[0];
  return (
    <>
      {sheet?.vehicle && (
        <>
          <dt>{t("resources.vehicle.title")}</dt>
          <dd>
            {[sheet.vehicle.plate, sheet.vehicle.make, sheet.vehicle.model].filter(Boolean).join(" ")} <Papers gaps={sheet.vehicle.gaps} />
          </dd>
        </>
      )}
      {sheet && sheet.equipment.length > 0 && (
        <>
          <dt>{t("resources.equipment.title")}</dt>
          <dd>
            {sheet.equipment.map(({ name, quantity }) => (quantity > 1 ? `${quantity} ${name}` : name)).join(", ")}
            {broken.length > 0 && <small> {broken.map(({ name, state }) => `${name}: ${t(`resources.equipment.state.${state}`)}`).join(", ")}</small>}
          </dd>
        </>
      )}
      <dt>{t("resources.views.title")}</dt>
      <dd>
        {photo && <img className="unit-photo" src={photoAddress(photo.id, "small")} alt={photo.caption || t("resources.photo.nth", { n: 1 })} loading="lazy" />}
        <a href={`/recursos?ver=moviles&movil=${unit.id}`}>{t("resources.unit.wholeSheet")}</a>
      </dd>
    </>
  );
}
