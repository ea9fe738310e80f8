import "./layout/units.css";
import { memo, useState } from "react";
import { age } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useKinds, useSecond } from "../lib/live";
import { AGE_SHOWN_AFTER, awaitsAck, matches, pillOf, signalLost, unitOrder, type Hue } from "../lib/queue";
import { progress } from "../lib/storm";
import { UnitPill } from "../lib/ui/UnitPill";
import type { Unit } from "../lib/wire";
import { select, useDesk } from "./desk";

const GROUPS: Hue[] = ["tarea", "libre", "no"];
/** Where there are more than these unavailable ones they begin folded: who can be sent is what one looks for. */
const FOLDED_FROM = 40;

/** Every unit, always in sight: on a task, free, unavailable. Letters narrow it down; a group folds to its count. */
export function UnitStrip() {
  useKinds("unit", "circuit");
  const now = useSecond();
  const [query, setQuery] = useState("");
  const [folded, setFolded] = useState<Partial<Record<Hue, boolean>>>({});
  const selected = useDesk((state) => state.selected);
  const all = board.units();
  const units = (query.trim() ? all.filter(({ call_sign, kind, organization }) => matches(query, call_sign, word("kind", kind), organization)) : all).sort(unitOrder);
  const rounds = new Map(board.circuits().map((circuit) => [circuit.unit_id, progress(circuit)]));
  const shut = (hue: Hue, count: number) => (query.trim() ? false : (folded[hue] ?? (hue === "no" && count > FOLDED_FROM)));
  return (
    <footer className="unit-strip" aria-label={t("units.title")}>
      <div className="unit-find">
        <input
          type="search"
          value={query}
          placeholder={t("units.findShort")}
          aria-label={t("units.find")}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            const [first] = units;
            if (event.key === "Enter" && first) select(first.subject);
            if (event.key === "Escape" && query) {
              event.stopPropagation();
              event.preventDefault();
              setQuery("");
            }
          }}
        />
        <small role="status">{query.trim() ? t("units.found", { count: units.length }) : ""}</small>
      </div>
      {GROUPS.map((hue) => {
        const group = units.filter(({ status }) => pillOf(status).hue === hue);
        const closed = shut(hue, group.length);
        return (
          <div key={hue} className={`unit-group unit-group-${hue}`}>
            <h2>
              <button type="button" aria-expanded={!closed} onClick={() => setFolded((held) => ({ ...held, [hue]: !closed }))}>
                {t(`units.groups.${hue}`)} <span className="count">{group.length}</span>
              </button>
            </h2>
            {!closed && (
              <ul>
                {group.map((unit) => {
                  const fixedAt = board.positions.get(unit.id)?.fixedAt;
                  const old = fixedAt === undefined ? null : now - fixedAt;
                  const round = rounds.get(unit.id);
                  return (
                    <UnitChip
                      key={unit.id}
                      unit={unit}
                      first={unit === units[0]}
                      selected={selected === unit.subject}
                      lost={signalLost(unit, fixedAt, now)}
                      note={old === null ? (unit.status === "out_of_service" ? "" : t("units.noPosition")) : old >= AGE_SHOWN_AFTER ? age(old) : ""}
                      round={round ? t("storm.circuits.chip", { at: round[0], of: round[1] }) : ""}
                    />
                  );
                })}
              </ul>
            )}
          </div>
        );
      })}
    </footer>
  );
}

interface Chip {
  unit: Unit;
  first: boolean;
  selected: boolean;
  lost: boolean;
  /** Its position's age, or that there is none. */
  note: string;
  round: string;
}

/** Drawn anew when something of it changed, not at every second: there may be five hundred. */
const UnitChip = memo(function UnitChip({ unit, first, selected, lost, note, round }: Chip) {
  return (
    <li>
      <button
        type="button"
        data-unit={unit.id}
        data-first={first || undefined}
        className={`unit-chip${selected ? " unit-chip-selected" : ""}`}
        title={[word("unit", unit.status), word("kind", unit.kind), unit.incident_code].filter(Boolean).join(" · ")}
        onClick={() => select(unit.subject)}
      >
        <UnitPill status={unit.status} lost={lost} waiting={awaitsAck(unit)} />
        <span>{unit.call_sign}</span>
        {round && <small className="unit-round">{round}</small>}
        {note && <small>{note}</small>}
      </button>
    </li>
  );
});
