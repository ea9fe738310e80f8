import "./dispatching.css";
import { Button, Modal, TextInput } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { Refusal } from "../lib/api";
import { useDraftLine } from "../lib/drafts";
import { explain } from "../lib/explain";
import { ago } from "../lib/format";
import { has, t, word } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { UnitPill } from "../lib/ui/UnitPill";
import { dispatch, type OnBusy, type Sending } from "../lib/verbs";
import type { BusyUnit, UnitStatus } from "../lib/wire";

/** What is to be done with one unit that cannot simply be sent. */
interface How {
  on_busy?: OnBusy;
  override?: string;
}

interface Unready {
  unit_id: string;
  call_sign: string;
  gaps: { code: string }[];
}

type Question =
  | { kind: "busy"; units: BusyUnit[]; refusal: Refusal }
  | { kind: "why"; refusal: Refusal }
  | { kind: "unready"; units: Unready[]; refusal: Refusal };

type Asked = Question & { answer: (how: How | null) => void };

const question = createStore<{ asked: Asked | null }>(() => ({ asked: null }));

const ask = (asked: Question): Promise<How | null> =>
  new Promise((answer) => {
    question.getState().asked?.answer(null); // one question at a time: the older one is left
    question.setState({ asked: { ...asked, answer } });
  }).finally(() => question.setState({ asked: null })) as Promise<How | null>;

function questionOf(refusal: Refusal): Question | null {
  const facts = refusal.problem.facts ?? {};
  if (refusal.problem.code === "UnitAlreadyAssigned" && Array.isArray(facts.units)) return { kind: "busy", units: facts.units as BusyUnit[], refusal };
  if (refusal.problem.code === "UnitNotReady" && Array.isArray(facts.units)) return { kind: "unready", units: facts.units as Unready[], refusal };
  return refusal.problem.code === "GraverWork" ? { kind: "why", refusal } : null;
}

/**
 * Try to send; where a unit is busy, or leaves something as grave, or is not fit, ask and try again with the answer. Whoever
 * goes back gets the refusal, as if nobody had asked.
 */
export async function asking<T>(units: Sending[], attempt: (units: Sending[]) => Promise<T>): Promise<T> {
  let wanted = units;
  for (;;) {
    try {
      return await attempt(wanted);
    } catch (error) {
      const asked = error instanceof Refusal ? questionOf(error) : null;
      if (!asked) throw error;
      const how = await ask(asked);
      if (!how) throw error;
      const about = asked.kind === "why" ? null : new Set(asked.units.map(({ unit_id }) => unit_id));
      wanted = wanted.map((one) => ((about?.has(one.unit_id) ?? one.on_busy === "release") ? { ...one, ...how } : one));
    }
  }
}

/** `dispatch` that asks where the server does: liberar o sumar, why, in spite of what. */
export const dispatchAsking = (incident: string, id: string, units: Sending[]) => asking(units, (wanted) => dispatch(incident, id, wanted));

/** Mounted once; shown while somebody has to choose. `1` releases, `2` adds, `Esc` leaves it. */
export function BusyDialog() {
  const asked = useStore(question, (state) => state.asked);
  const leave = () => asked?.answer(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (!asked || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") leave();
    else if (asked.kind === "busy" && event.key === "1") asked.answer({ on_busy: "release" });
    else if (asked.kind === "busy" && event.key === "2") asked.answer({ on_busy: "add" });
    else return;
    event.preventDefault();
    // The card behind stays open: this Esc was for the question.
    event.stopPropagation();
    event.nativeEvent.stopImmediatePropagation();
  };
  return (
    <Modal
      opened={asked !== null}
      onClose={leave}
      onKeyDown={onKeyDown}
      closeOnEscape={false}
      centered
      size="lg"
      transitionProps={{ duration: 0 }}
      title={asked && titleOf(asked)}
      closeButtonProps={{ "aria-label": t("action.back") }}
    >
      {asked?.kind === "busy" && <Busy units={asked.units} answer={asked.answer} />}
      {asked?.kind === "why" && <Why about={explain(asked.refusal)} answer={asked.answer} label={explain(asked.refusal)} button={t("busy.release")} />}
      {asked?.kind === "unready" && <NotReady units={asked.units} answer={asked.answer} />}
    </Modal>
  );
}

function titleOf(asked: Question): string {
  if (asked.kind === "why") return t("busy.whyTitle");
  return t(`busy.${asked.kind}Title`, { count: asked.units.length, unit: asked.units[0]?.call_sign ?? "" });
}

function Busy({ units, answer }: { units: BusyUnit[]; answer: (how: How | null) => void }) {
  const now = useSecond();
  return (
    <div className="busy" tabIndex={-1} data-autofocus role="group" aria-label={t("busy.title")}>
      <ul className="busy-units">
        {units.map((unit) => (
          <li key={unit.unit_id}>
            <UnitPill status={unit.status as UnitStatus} />
            <strong>{unit.call_sign}</strong>
            <span>
              {word("assignment.status", unit.status)} <small>{ago(unit.status_since, now)}</small>
            </span>
            <span className="busy-on">
              {unit.priority !== null && <PriorityMark level={unit.priority} size={20} />}
              <b>{unit.incident_code}</b> {unit.type_name ?? t("busy.hidden")}
              {unit.place && <small>{unit.place}</small>}
            </span>
            <small className="busy-by">
              {t("busy.by", { by: unit.by, since: ago(unit.since, now) })}
              {unit.waiting > 0 && ` · ${t("busy.waiting", { count: unit.waiting })}`}
            </small>
          </li>
        ))}
      </ul>
      <div className="busy-ways">
        <button type="button" onClick={() => answer({ on_busy: "release" })}>
          <kbd>{"1"}</kbd> <b>{t("busy.release")}</b>
          <small>{t("busy.releaseHint")}</small>
        </button>
        <button type="button" onClick={() => answer({ on_busy: "add" })}>
          <kbd>{"2"}</kbd> <b>{t("busy.add")}</b>
          <small>{t("busy.addHint")}</small>
        </button>
        <button type="button" onClick={() => answer(null)}>
          <kbd>{"Esc"}</kbd> <b>{t("busy.leave")}</b>
          <small>{t("busy.leaveHint")}</small>
        </button>
      </div>
    </div>
  );
}

function NotReady({ units, answer }: { units: Unready[]; answer: (how: How | null) => void }) {
  const mayOverride = useMay("gate.override");
  return (
    <>
      <ul className="busy-units">
        {units.map((unit) => (
          <li key={unit.unit_id}>
            <strong>{unit.call_sign}</strong>
            <span className="busy-on">{unit.gaps.map(({ code }) => gapWords(code)).join(" · ")}</span>
          </li>
        ))}
      </ul>
      {mayOverride ? <Why about={units.map(({ call_sign }) => call_sign).join()} answer={answer} label={t("busy.overrideWhy")} button={t("busy.sendAnyway")} /> : <p className="hint">{t("busy.askSupervisor")}</p>}
    </>
  );
}

const gapWords = (code: string): string => {
  const key = ["recommend.gap", "gap"].map((of) => `${of}.${code}`).find(has);
  return key ? t(key) : code;
};

function Why({ about, label, button, answer }: { about: string; label: string; button: string; answer: (how: How | null) => void }) {
  const [reason, setReason, discard] = useDraftLine(`busy:${about}`);
  return (
    <form
      className="busy-why"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason.trim()) return;
        discard();
        answer({ override: reason.trim() });
      }}
    >
      <TextInput data-autofocus label={label} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      <div className="form-buttons">
        <Button type="submit" size="sm" disabled={!reason.trim()}>
          {button} <kbd>{"↵"}</kbd>
        </Button>
        <Button size="sm" variant="subtle" color="gray" onClick={() => answer(null)}>
          {t("action.back")} <kbd>{"Esc"}</kbd>
        </Button>
      </div>
    </form>
  );
}
