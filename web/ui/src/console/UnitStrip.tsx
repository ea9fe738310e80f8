import { useRef } from "react";
import { age } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard, useSecond } from "../lib/live";
import { AGE_SHOWN_AFTER, awaitsAck, pillOf, signalLost, unitOrder, type Hue } from "../lib/queue";
import { progress } from "../lib/storm";
import { UnitPill } from "../lib/ui/UnitPill";
import type { Circuit, Unit } from "../lib/wire";
import { desk, select, useDesk } from "./desk";

const GROUPS: Hue[] = ["tarea", "libre", "no"];

/** Every unit, always in sight: on a task, free, unavailable. */
export function UnitStrip() {
  useBoard();
  const now = useSecond();
  const strip = useRef<HTMLElement>(null);
  useKey("u", () => {
    desk.setState({ pane: "units" });
    strip.current?.querySelector("button")?.focus();
  });
  const units = board.units().sort(unitOrder);
  const circuits = new Map(board.circuits().map((circuit) => [circuit.unit_id, circuit]));
  return (
    <footer ref={strip} className="unit-strip" aria-label={t("units.title")}>
      {GROUPS.map((hue) => {
        const group = units.filter(({ status }) => pillOf(status).hue === hue);
        return (
          <div key={hue} className={`unit-group unit-group-${hue}`}>
            <h2>
              {t(`units.groups.${hue}`)} <span className="count">{group.length}</span>
            </h2>
            <ul>
              {group.map((unit) => (
                <UnitChip key={unit.id} unit={unit} now={now} circuit={circuits.get(unit.id)} />
              ))}
            </ul>
          </div>
        );
      })}
    </footer>
  );
}

function UnitChip({ unit, now, circuit }: { unit: Unit; now: number; circuit: Circuit | undefined }) {
  const selected = useDesk((state) => state.selected === unit.subject);
  const fixedAt = board.positions.get(unit.id)?.fixedAt;
  const lost = signalLost(unit, fixedAt, now);
  const old = fixedAt === undefined ? null : now - fixedAt;
  const round = circuit && progress(circuit);
  return (
    <li>
      <button
        type="button"
        className={`unit-chip${selected ? " unit-chip-selected" : ""}`}
        title={[word("unit", unit.status), word("kind", unit.kind), unit.incident_code].filter(Boolean).join(" · ")}
        onClick={() => select(unit.subject)}
      >
        <UnitPill status={unit.status} lost={lost} waiting={awaitsAck(unit)} />
        <span>{unit.call_sign}</span>
        {round && <small className="unit-round">{t("storm.circuits.chip", { at: round[0], of: round[1] })}</small>}
        {old !== null && old >= AGE_SHOWN_AFTER && <small>{age(old)}</small>}
        {old === null && unit.status !== "out_of_service" && <small>{t("units.noPosition")}</small>}
      </button>
    </li>
  );
}
