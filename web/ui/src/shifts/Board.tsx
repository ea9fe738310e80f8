import { Button, SegmentedControl } from "@mantine/core";
import { IconAlertTriangle, IconChevronLeft, IconChevronRight, IconPrinter, IconQrcode, IconRepeat } from "@tabler/icons-react";
import { useMemo, useRef, useState, type DragEvent, type KeyboardEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { place, planShifts } from "../lib/verbs";
import type { ShiftSlot, StaffRules } from "../lib/wire";
import { DutyNow } from "./DutyNow";
import { Points } from "./Points";
import "./shifts.css";
import { SlotPanel } from "./SlotPanel";
import { StaffPool } from "./StaffPool";
import { Templates } from "./Templates";
import { dayAfter, dayOf, longDayName, roleName, shortDayName, useRules, useShifts } from "./useStaff";

const WEEK = 7;
type Span = "semana" | "dia";
type Sheet = "templates" | "points" | null;

/** Who is in each shift, day by day and unit by unit; what is missing is hatched and named. */
export function Board() {
  const now = useSecond();
  const today = dayOf(now);
  const mayPlan = useMay("shift.manage");
  const [span, setSpan] = useState<Span>("semana");
  const [first, setFirst] = useState<string | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const [sheet, setSheet] = useState<Sheet>(null);
  const from = first ?? today;
  const count = span === "semana" ? WEEK : 1;
  const to = dayAfter(from, count - 1);
  const days = Array.from({ length: count }, (_, ahead) => dayAfter(from, ahead));
  const { data: slots, isError } = useShifts(from, to);
  const { data: rules } = useRules();
  const plan = useAct();

  const rows = useMemo(() => {
    const found = new Map<string, ShiftSlot[]>();
    for (const slot of slots ?? []) found.set(slot.where, [...(found.get(slot.where) ?? []), slot]);
    return [...found].sort(([one], [other]) => one.localeCompare(other, "es", { numeric: true }));
  }, [slots]);
  const holes = (slots ?? []).filter((slot) => Date.parse(slot.ends_at) > now && missing(slot).length > 0);
  const chosen = slots?.find(({ id }) => id === open) ?? null;
  const grid = useRef<HTMLDivElement>(null);

  const step = (by: number) => setFirst(dayAfter(from, by * count));
  const planThem = async () => {
    const done = await plan.act(() => planShifts(from < today ? today : from, to));
    if (done) say(t("shifts.planned", { count: done.made }));
  };

  /** Arrows walk over the shifts, whatever day and unit they are of. */
  function walk(event: KeyboardEvent) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by || !grid.current) return;
    const all = [...grid.current.querySelectorAll<HTMLElement>(".slot")];
    const here = all.indexOf(document.activeElement as HTMLElement);
    if (here < 0) return;
    event.preventDefault();
    const me = all[here]?.dataset;
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    const next = sideways
      ? all.slice(by > 0 ? here + 1 : 0, by > 0 ? undefined : here).filter((slot) => slot.dataset.where === me?.where && slot.dataset.day !== me?.day)
      : all.slice(by > 0 ? here + 1 : 0, by > 0 ? undefined : here).filter((slot) => slot.dataset.day === me?.day);
    (by > 0 ? next[0] : next.at(-1))?.focus();
  }

  async function drop(slot: ShiftSlot, event: DragEvent) {
    event.preventDefault();
    const member = event.dataTransfer.getData("text/x-member");
    if (!member) return;
    try {
      await place(slot.id, { id: newId(), member_id: member });
      say(t("shifts.placed"));
    } catch {
      // The panel says what speaks against it, and takes the reason.
      setWanted(member);
      setOpen(slot.id);
    }
  }

  return (
    <div className="shifts" data-span={span}>
      <DutyNow />
      <div className="shifts-bar">
        <Button.Group>
          <Button variant="default" size="xs" aria-label={t("shifts.earlier")} onClick={() => step(-1)}>
            <IconChevronLeft size={16} aria-hidden />
          </Button>
          <Button variant="default" size="xs" disabled={from === today} onClick={() => setFirst(null)}>
            {t("shifts.today")}
          </Button>
          <Button variant="default" size="xs" aria-label={t("shifts.later")} onClick={() => step(1)}>
            <IconChevronRight size={16} aria-hidden />
          </Button>
        </Button.Group>
        <h2>{count === 1 ? longDayName(from) : t("shifts.week", { from: longDayName(from), to: longDayName(to) })}</h2>
        <SegmentedControl size="xs" value={span} onChange={(value) => setSpan(value as Span)} data={[{ value: "semana", label: t("shifts.byWeek") }, { value: "dia", label: t("shifts.byDay") }]} />
        <span className="shifts-holes" data-any={holes.length > 0} role="status">
          {holes.length > 0 && <IconAlertTriangle size={16} aria-hidden />}
          {t("shifts.holes", { count: holes.length })}
        </span>
        <span className="top-spacer" />
        {mayPlan && (
          <>
            <Button variant="default" size="xs" loading={plan.busy} leftSection={<IconRepeat size={14} aria-hidden />} onClick={() => void planThem()}>
              {t("shifts.plan")}
            </Button>
            <Button variant="default" size="xs" onClick={() => setSheet("templates")}>
              {t("shifts.templates.title")}
            </Button>
            <Button variant="default" size="xs" leftSection={<IconQrcode size={14} aria-hidden />} onClick={() => setSheet("points")}>
              {t("shifts.points.title")}
            </Button>
          </>
        )}
        <Button variant="default" size="xs" leftSection={<IconPrinter size={14} aria-hidden />} onClick={() => print()}>
          {t("shifts.print")}
        </Button>
      </div>
      {plan.failure && <p className="form-failure" role="alert">{plan.failure}</p>}
      {isError && <p className="shifts-note" role="alert">{t("shifts.unread")}</p>}
      <div className="shifts-body">
        {mayPlan && <StaffPool />}
        <div className="shifts-scroll">
          {slots && rows.length === 0 && <p className="shifts-note">{t(mayPlan ? "shifts.none" : "shifts.noneYet")}</p>}
          {rows.length > 0 && span === "semana" && (
            <div className="week" ref={grid} onKeyDown={walk} role="group" aria-label={t("shifts.board")} style={{ gridTemplateColumns: `104px repeat(${days.length}, minmax(150px, 1fr))` }}>
              <span className="week-corner" />
              {days.map((day) => (
                <strong key={day} className="week-day" data-today={day === today}>
                  {shortDayName(day)}
                </strong>
              ))}
              {rows.map(([where, some]) => (
                <div key={where} className="week-row">
                  <strong className="week-unit">{where}</strong>
                  {days.map((day) => (
                    <div key={day} className="week-cell" data-today={day === today}>
                      {some
                        .filter((slot) => dayOf(slot.starts_at) === day || (day === from && dayOf(slot.starts_at) < from))
                        .map((slot) => (
                          <Slot key={slot.id} slot={slot} day={day} now={now} rules={rules} onOpen={() => setOpen(slot.id)} onDrop={(event) => void drop(slot, event)} />
                        ))}
                    </div>
                  ))}
                </div>
              ))}
            </div>
          )}
          {rows.length > 0 && span === "dia" && (
            <Timeline day={from} rows={rows} now={now}>
              {(slot) => <Slot slot={slot} day={from} now={now} rules={rules} onOpen={() => setOpen(slot.id)} onDrop={(event) => void drop(slot, event)} />}
            </Timeline>
          )}
        </div>
        {chosen && <SlotPanel key={chosen.id} slot={chosen} wanted={wanted} onClose={() => (setOpen(null), setWanted(null))} />}
      </div>
      <Templates opened={sheet === "templates"} onClose={() => setSheet(null)} />
      <Points opened={sheet === "points"} onClose={() => setSheet(null)} />
    </div>
  );
}

/** The roles of which a shift has too few, and how many are missing. */
export const missing = (slot: ShiftSlot): { role: string; count: number }[] =>
  slot.seats.filter(({ min, have }) => have < min).map(({ role, min, have }) => ({ role, count: min - have }));

interface SlotProps {
  slot: ShiftSlot;
  day: string;
  now: number;
  rules: StaffRules | undefined;
  onOpen: () => void;
  onDrop: (event: DragEvent) => void;
}

function Slot({ slot, day, now, rules, onOpen, onDrop }: SlotProps) {
  const [over, setOver] = useState(false);
  const gone = Date.parse(slot.ends_at) <= now;
  const running = !gone && Date.parse(slot.starts_at) <= now;
  const holes = missing(slot);
  const done = running ? ((now - Date.parse(slot.starts_at)) / (Date.parse(slot.ends_at) - Date.parse(slot.starts_at))) * 100 : 0;
  const said = t("shifts.slot", {
    where: slot.where,
    day: longDayName(dayOf(slot.starts_at)),
    from: hour(slot.starts_at),
    to: hour(slot.ends_at),
    people: slot.people.map(({ name }) => name).join(", ") || t("shifts.nobody"),
    missing: holes.map(({ role, count }) => t("shifts.missing", { count, role: roleName(rules, role).toLowerCase() })).join(", "),
  });
  return (
    <button
      type="button"
      className="slot"
      aria-label={said}
      data-where={slot.where}
      data-day={day}
      data-hole={holes.length > 0 && !gone}
      data-gone={gone}
      data-running={running}
      data-over={over}
      onClick={onOpen}
      onDragOver={(event) => {
        if (!gone) event.preventDefault();
        setOver(!gone);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        onDrop(event);
      }}
    >
      {running && <span className="slot-now" style={{ inlineSize: `${done}%` }} />}
      <span className="slot-time">
        {hour(slot.starts_at)}–{hour(slot.ends_at)}
        {running && <em>{t("shifts.now")}</em>}
      </span>
      <span className="slot-seats">
        {slot.seats.map(({ role, min, have }) => (
          <span key={role} data-short={have < min}>
            {t("shifts.seats", { have, min, role: roleName(rules, role).toLowerCase() })}
          </span>
        ))}
      </span>
      {slot.people.map((one) => (
        <span key={one.id} className="slot-person">
          {one.name}
          {one.excused && <IconAlertTriangle size={12} aria-label={t("shifts.excused")} />}
        </span>
      ))}
      {!gone && holes.map(({ role, count }) => (
        <span key={role} className="slot-hole">
          {t("shifts.missing", { count, role: roleName(rules, role).toLowerCase() })}
        </span>
      ))}
    </button>
  );
}

const HOUR = 3_600_000;

/** One day on a line, a lane for each unit; what goes on past midnight is cut at the edge. */
function Timeline({ day, rows, now, children }: { day: string; rows: [string, ShiftSlot[]][]; now: number; children: (slot: ShiftSlot) => React.ReactNode }) {
  // The day of the city begins when its clock says so: found from any instant of it.
  const midnight = startOf(day);
  const at = (instant: string) => Math.min(24, Math.max(0, (Date.parse(instant) - midnight) / HOUR));
  const share = (now - midnight) / (24 * HOUR);
  return (
    <div className="timeline">
      <div className="timeline-hours">
        <span className="week-corner" />
        <div>
          {Array.from({ length: 12 }, (_, two) => (
            <span key={two}>{String(two * 2).padStart(2, "0")}</span>
          ))}
        </div>
      </div>
      {rows.map(([where, some]) => (
        <div key={where} className="timeline-row">
          <strong className="week-unit">{where}</strong>
          <div className="timeline-lane">
            {some.map((slot) => (
              <div key={slot.id} style={{ insetInlineStart: `${(at(slot.starts_at) / 24) * 100}%`, inlineSize: `${((at(slot.ends_at) - at(slot.starts_at)) / 24) * 100}%` }}>
                {children(slot)}
              </div>
            ))}
            {share >= 0 && share < 1 && <span className="timeline-now" style={{ insetInlineStart: `${share * 100}%` }} />}
          </div>
        </div>
      ))}
    </div>
  );
}

function startOf(day: string): number {
  const noon = Date.parse(`${day}T12:00:00Z`);
  const [h = 0, m = 0] = hour(noon).split(":").map(Number);
  return dayOf(noon) === day ? noon - (h * 60 + m) * 60_000 : noon + (24 * 60 - (h * 60 + m)) * 60_000;
}
