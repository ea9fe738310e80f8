import "./dispatching.css";
import { Button, Menu, Select, TextInput } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useState, type FormEvent, type ReactNode } from "react";
import { newId } from "../lib/api";
import { useDraftLine } from "../lib/drafts";
import { hourSeconds, running } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard, useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { isOpen, unitOrder } from "../lib/queue";
import { useMay, useSession } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { UnitPill } from "../lib/ui/UnitPill";
import { advance, assignmentStatus, reassign, stageAt, standDown, standDownAll, swapUnits } from "../lib/verbs";
import type { AssignmentStatus, Incident, LiveAssignment, Unit, UnitStatus } from "../lib/wire";
import { asking } from "./BusyDialog";
import { select, stage } from "./desk";
import { useAct } from "./useAct";

/** What usually comes next, and what else may be heard on the radio. */
const NEXT: Partial<Record<AssignmentStatus, AssignmentStatus>> = {
  assigned: "acknowledged",
  acknowledged: "en_route",
  en_route: "on_scene",
  on_scene: "released",
  transporting: "at_destination",
  at_destination: "released",
};
const OTHERS: Partial<Record<AssignmentStatus, AssignmentStatus[]>> = {
  assigned: ["en_route", "on_scene", "refused"],
  acknowledged: ["on_scene", "refused"],
  en_route: ["refused"],
  on_scene: ["transporting"],
  transporting: [],
  at_destination: [],
};
/** What may be heard of a unit that does this, the likeliest first; a refusal needs its reason, and the card. */
export const HEARD = (status: AssignmentStatus): AssignmentStatus[] => [...(NEXT[status] ? [NEXT[status]] : []), ...(OTHERS[status] ?? [])].filter((each) => each !== "refused");
const ON_THE_WAY: ReadonlySet<AssignmentStatus> = new Set<AssignmentStatus>(["assigned", "acknowledged", "en_route"]);

type Doing = "stage" | "swap" | "reassign" | "down" | "refused";

export function Assignments({ incident }: { incident: Incident }) {
  const may = useMay("assignment.report");
  const mayDispatch = useMay("unit.dispatch");
  const [all, setAll] = useState(false);
  const { busy, act, failure } = useAct();
  const unheard = incident.assignments.find(({ exclusive, acknowledge_by, status }) => exclusive && (status === "assigned" || acknowledge_by !== null));
  useKey(
    "a",
    () =>
      unheard &&
      void act(() => assignmentStatus(unheard.id, "acknowledged")).then((done) => done !== null && say(t("assignment.said.acknowledged", { unit: unheard.call_sign }), undoOf(done))),
    may && unheard !== undefined && !busy,
  );
  if (incident.assignments.length === 0) return null;
  return (
    <section className="card-section">
      <h3>
        {t("assignment.title")}
        {mayDispatch && incident.assignments.length > 1 && !all && (
          <button type="button" className="link-button" onClick={() => setAll(true)}>
            {t("assignment.downAll")}
          </button>
        )}
      </h3>
      {all && (
        <ReasonForm
          draft={`incident:${incident.id}:down`}
          label={t("assignment.downAllWhy", { count: incident.assignments.length })}
          button={t("assignment.downAll")}
          onBack={() => setAll(false)}
          onReason={(reason) =>
            act(() => standDownAll(incident.id, reason)).then((done) => {
              if (done === null) return false;
              setAll(false);
              say(t("assignment.allDown", { code: incident.code }), undoOf(done));
              return true;
            })
          }
        />
      )}
      <ul className="assignments">
        {incident.assignments.map((assignment) => (
          <AssignmentRow key={assignment.id} assignment={assignment} incident={incident} ackKey={assignment.id === unheard?.id} />
        ))}
      </ul>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </section>
  );
}

/** One unit on one incident: what it does for it, until when it should have said that it heard, and what can be done about it. */
function AssignmentRow({ assignment, incident, ackKey }: { assignment: LiveAssignment; incident: Incident; ackKey: boolean }) {
  const may = useMay("assignment.report");
  return (
    <li className={assignment.exclusive ? undefined : "assignment-waiting"}>
      <button type="button" className="assignment-unit" data-unit={assignment.unit_id} onClick={() => select(`unit:${assignment.unit_id}`)}>
        <UnitPill status={assignment.status as UnitStatus} waiting={assignment.status === "assigned"} />
        <strong>{assignment.call_sign}</strong>
      </button>
      <AssignmentState assignment={assignment} />
      {may && <AssignmentButtons assignment={assignment} incident={incident} ackKey={ackKey} />}
    </li>
  );
}

function AssignmentState({ assignment }: { assignment: LiveAssignment }) {
  const now = useSecond();
  useBoard();
  const leading = assignment.exclusive ? null : board.get<Unit>(`unit:${assignment.unit_id}`);
  return (
    <span className="assignment-status">
      {!assignment.exclusive
        ? t("assignment.after", { code: leading?.incident_code ?? t("assignment.else") })
        : assignment.status === "assigned"
          ? t("assignment.sent", { hour: hourSeconds(assignment.since) })
          : word("assignment.status", assignment.status)}
      <small>
        {assignment.exclusive && assignment.acknowledge_by !== null ? (
          <AckClock by={Date.parse(assignment.acknowledge_by)} since={Date.parse(assignment.since)} now={now} />
        ) : (
          `${hourSeconds(assignment.since)} · ${running(now - Date.parse(assignment.since))}`
        )}
      </small>
      {assignment.staging && <small className="assignment-staged">{t("assignment.staged", { place: assignment.staging.name, time: running(now - Date.parse(assignment.staging.since)) })}</small>}
      {assignment.overridden && <small>{t("assignment.overridden")}</small>}
    </span>
  );
}

/** How long the crew still has to say that it heard; past it, by how much it is late. */
function AckClock({ by, since, now }: { by: number; since: number; now: number }) {
  const late = now - by;
  return late > 0 ? (
    <em className="ack-late">{t("assignment.ackLate", { time: running(late) })}</em>
  ) : (
    <>{t("assignment.ackIn", { time: running(-late), since: running(now - since) })}</>
  );
}

/** As heard by radio: the next step in one press, the others one level down. */
export function AssignmentButtons({ assignment, incident, ackKey = false }: { assignment: LiveAssignment; incident?: Incident; ackKey?: boolean }) {
  const { person } = useSession();
  const mayDispatch = useMay("unit.dispatch");
  const { busy, failure, act } = useAct();
  const [doing, setDoing] = useState<Doing | null>(null);
  if (person.role === "crew" && person.unit_id !== assignment.unit_id) return null;
  const unit = assignment.call_sign;
  const redirected = assignment.status === "en_route" && assignment.acknowledge_by !== null;
  const next = assignment.exclusive ? (redirected ? "acknowledged" : NEXT[assignment.status]) : assignment.status === "assigned" ? "acknowledged" : undefined;
  const others = assignment.exclusive ? [...(redirected ? (["on_scene"] as const) : []), ...(OTHERS[assignment.status] ?? [])] : (["refused"] as const);
  const done = (words: string) => (answer: { undo?: { id: string; until: string } | null } | null) => {
    if (answer === null) return false;
    setDoing(null);
    say(words, undoOf(answer));
    return true;
  };
  const go = (status: AssignmentStatus, reason?: string) => act(() => assignmentStatus(assignment.id, status, reason)).then(done(t(`assignment.said.${status}`, { unit })));
  const forms: Record<Doing, () => ReactNode> = {
    refused: () => <ReasonForm draft={`assignment:${assignment.id}:refused`} label={t("assignment.refusedWhy", { unit })} button={t("assignment.do.refused")} onBack={() => setDoing(null)} onReason={(reason) => go("refused", reason)} />,
    down: () => (
      <ReasonForm
        draft={`assignment:${assignment.id}:down`}
        label={t("assignment.downWhy", { unit })}
        button={t("assignment.down")}
        onBack={() => setDoing(null)}
        onReason={(reason) => act(() => standDown(assignment.id, reason)).then(done(t("assignment.isDown", { unit })))}
      />
    ),
    stage: () => (
      <StageForm draft={`assignment:${assignment.id}:stage`} incident={incident} onBack={() => setDoing(null)} onStage={(name, at) => act(() => stageAt(assignment.id, name, at)).then(done(t("assignment.isStaged", { unit, place: name })))} />
    ),
    swap: () => (
      <SwapForm
        assignment={assignment}
        onBack={() => setDoing(null)}
        onSwap={(other, reason) =>
          act(() => asking([{ id: newId(), unit_id: other.id }], ([sending]) => swapUnits(assignment.id, sending ?? { id: newId(), unit_id: other.id }, reason))).then(
            done(t("assignment.isSwapped", { unit, other: other.call_sign })),
          )
        }
      />
    ),
    reassign: () => (
      <ReassignForm
        assignment={assignment}
        from={incident}
        onBack={() => setDoing(null)}
        onGo={(to, reason) => act(() => reassign(assignment.id, newId(), to.id, reason)).then(done(t("assignment.isReassigned", { unit, code: to.code })))}
      />
    ),
  };
  return (
    <>
      <span className="assignment-buttons">
        {mayDispatch && assignment.staging && (
          <Button size="compact-sm" loading={busy} onClick={() => void act(() => advance(assignment.id)).then(done(t("assignment.isAdvanced", { unit })))}>
            {t("assignment.advance")}
          </Button>
        )}
        {next && (
          <Button size="compact-sm" variant="default" loading={busy} onClick={() => void go(next)}>
            {t(`assignment.do.${next}`)} {ackKey && <kbd>{"A"}</kbd>}
          </Button>
        )}
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-sm" variant="default" aria-label={t("assignment.others", { unit })} disabled={busy}>
              <IconDots size={16} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((status) => (
              <Menu.Item key={status} onClick={() => (status === "refused" ? setDoing("refused") : void go(status))}>
                {t(`assignment.do.${status}`)}
              </Menu.Item>
            ))}
            {mayDispatch && (
              <>
                {others.length > 0 && <Menu.Divider />}
                {assignment.exclusive && ON_THE_WAY.has(assignment.status) && <Menu.Item onClick={() => setDoing("stage")}>{t("assignment.stage")}</Menu.Item>}
                <Menu.Item onClick={() => setDoing("swap")}>{t("assignment.swap")}</Menu.Item>
                <Menu.Item onClick={() => setDoing("reassign")}>{t("assignment.reassign")}</Menu.Item>
                <Menu.Item onClick={() => setDoing("down")}>{t("assignment.down")}</Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
        {failure && (
          <span className="form-failure" role="alert">
            {failure}
          </span>
        )}
      </span>
      {doing && <div className="assignment-form">{forms[doing]()}</div>}
    </>
  );
}

/** What a unit has to do: what leads, and what waits behind it. */
export function UnitJobs({ unit }: { unit: Unit }) {
  useBoard();
  const past = useInPast();
  const jobs = board
    .incidents()
    .flatMap((incident) => incident.assignments.filter(({ unit_id }) => unit_id === unit.id).map((assignment) => ({ incident, assignment })))
    .sort((a, b) => Number(b.assignment.exclusive) - Number(a.assignment.exclusive) || a.assignment.made_at.localeCompare(b.assignment.made_at));
  if (jobs.length === 0) return null;
  return (
    <section className="card-section">
      <h3>{t("assignment.jobs")}</h3>
      <ul className="assignments">
        {jobs.map(({ incident, assignment }) => (
          <li key={assignment.id} className={assignment.exclusive ? undefined : "assignment-waiting"}>
            <button type="button" className="assignment-unit" onClick={() => select(incident.subject)}>
              <PriorityMark level={incident.priority} size={20} />
              <strong>{incident.code}</strong>
            </button>
            <AssignmentState assignment={assignment} />
            {!past && <AssignmentButtons assignment={assignment} incident={incident} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/* ------------------------------------------------------------------ forms */

function Foot({ button, disabled, onBack }: { button: string; disabled: boolean; onBack: () => void }) {
  return (
    <div className="form-buttons">
      <Button type="submit" size="sm" disabled={disabled}>
        {button}
      </Button>
      <Button size="sm" variant="subtle" color="gray" onClick={onBack}>
        {t("action.back")}
      </Button>
    </div>
  );
}

const submitting = (work: () => unknown) => (event: FormEvent) => {
  event.preventDefault();
  void work();
};

function ReasonForm({ draft, label, button, onReason, onBack }: { draft: string; label: string; button: string; onReason: (reason: string) => Promise<boolean>; onBack: () => void }) {
  const [reason, setReason, discard] = useDraftLine(draft);
  return (
    <form onSubmit={submitting(() => reason.trim() && onReason(reason.trim()).then((done) => done && discard()))} className="act">
      <TextInput autoFocus label={label} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      <Foot button={button} disabled={!reason.trim()} onBack={onBack} />
    </form>
  );
}

/** Where it waits: a name that the crew knows, and the place that the map is centred on. */
function StageForm({ draft, incident, onStage, onBack }: { draft: string; incident?: Incident; onStage: (name: string, at: [number, number]) => Promise<boolean>; onBack: () => void }) {
  const [name, setName, discard] = useDraftLine(draft);
  const found = incident ? board.get<Incident>(incident.subject)?.at : null;
  const at: [number, number] | null = stage.map?.centre() ?? found ?? null;
  return (
    <form onSubmit={submitting(() => name.trim() && at && onStage(name.trim(), at).then((done) => done && discard()))} className="act">
      <TextInput autoFocus label={t("assignment.stageName")} description={t("assignment.stageHint")} value={name} maxLength={200} onChange={(event) => setName(event.currentTarget.value)} />
      <Foot button={t("assignment.stage")} disabled={!name.trim() || at === null} onBack={onBack} />
    </form>
  );
}

function SwapForm({ assignment, onSwap, onBack }: { assignment: LiveAssignment; onSwap: (unit: Unit, reason: string) => Promise<boolean>; onBack: () => void }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [reason, setReason, discard] = useDraftLine(`assignment:${assignment.id}:swap`);
  const units = board
    .units()
    .filter(({ id, status }) => id !== assignment.unit_id && status !== "break" && status !== "out_of_service")
    .sort((a, b) => Number(b.status === "available") - Number(a.status === "available") || unitOrder(a, b));
  const unit = units.find(({ id }) => id === chosen);
  return (
    <form onSubmit={submitting(() => unit && onSwap(unit, reason).then((done) => done && discard()))} className="act">
      <Select
        autoFocus
        searchable
        selectFirstOptionOnChange
        label={t("assignment.swapWith", { unit: assignment.call_sign })}
        data={units.map((one) => ({ value: one.id, label: `${one.call_sign} · ${word("unit", one.status)}${one.incident_code ? ` · ${one.incident_code}` : ""}` }))}
        value={chosen}
        onChange={setChosen}
      />
      <TextInput label={t("form.reasonOptional")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      <Foot button={t("assignment.swap")} disabled={!unit} onBack={onBack} />
    </form>
  );
}

function ReassignForm({
  assignment,
  from,
  onGo,
  onBack,
}: {
  assignment: LiveAssignment;
  from?: Incident;
  onGo: (to: Incident, reason: string) => Promise<boolean>;
  onBack: () => void;
}) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [reason, setReason, discard] = useDraftLine(`assignment:${assignment.id}:reassign`);
  const open = board.incidents().filter((one) => !one.masked && isOpen(one) && one.state !== "finished" && !one.assignments.some(({ unit_id }) => unit_id === assignment.unit_id));
  const to = open.find(({ id }) => id === chosen);
  const grave = to && from && assignment.exclusive && from.priority <= to.priority;
  return (
    <form onSubmit={submitting(() => to && (!grave || reason.trim()) && onGo(to, reason).then((done) => done && discard()))} className="act">
      <Select
        autoFocus
        searchable
        selectFirstOptionOnChange
        label={t("assignment.reassignTo", { unit: assignment.call_sign })}
        data={open.map((one) => ({ value: one.id, label: `P${one.priority} · ${one.code} · ${one.type_name} · ${one.place ?? ""}` }))}
        value={chosen}
        onChange={setChosen}
      />
      <TextInput label={t(grave ? "assignment.graveWhy" : "form.reasonOptional")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
      <Foot button={t("assignment.reassign")} disabled={!to || (grave === true && !reason.trim())} onBack={onBack} />
    </form>
  );
}
