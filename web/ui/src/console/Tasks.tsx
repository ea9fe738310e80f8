import { Button, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconArrowUp, IconMessage2, IconPhone, IconX } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { newId } from "../lib/api";
import type { Placed } from "../lib/board";
import { useDraft } from "../lib/drafts";
import { age, hour } from "../lib/format";
import { has, t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { isOver } from "../lib/queue";
import { addsWords, useRunCard } from "../lib/runCards";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { addTask, completeTask, dropTask, lowerAlarm, raiseAlarm, reopenTask, tasks as fetchTasks, tickStep } from "../lib/verbs";
import type { Incident, IncidentTask } from "../lib/wire";
import "./tasks.css";

/** What the run card asks to be done, and what was; and how far the incident has grown. */
export function Tasks({ incident }: { incident: Placed<Incident> }) {
  const mayUpdate = useMay("incident.update") && !isOver(incident);
  const [all, setAll] = useState(false);
  const queries = useQueryClient();
  const list = useRef<HTMLElement>(null);
  const now = useSecond();
  const key = ["tasks", incident.id, incident.version];
  const { data, isError, refetch } = useQuery({
    queryKey: key,
    queryFn: () => fetchTasks(incident.id),
    placeholderData: (held, former) => (former?.queryKey[1] === incident.id ? keepPreviousData(held) : undefined),
    staleTime: 60_000,
    enabled: incident.tasks !== null,
  });
  const toFirst = () => list.current?.querySelector<HTMLInputElement>("input[type=checkbox]:not(:checked)")?.focus();
  useKey("q", toFirst);
  if (incident.tasks === null) return null;

  const tasks = data?.tasks ?? [];
  const left = tasks.filter(({ state }) => state === "open");
  const late = left.filter(({ due_at }) => due_at !== null && Date.parse(due_at) < now).length;
  const shown = all ? tasks : left;
  const put = (task: IncidentTask) =>
    queries.setQueryData<{ tasks: IncidentTask[] }>(key, (held) => held && { tasks: held.tasks.map((each) => (each.id === task.id ? task : each)) });

  return (
    <section className="card-section tasks" ref={list} onKeyDown={walk}>
      <h3>
        {t("tasks.title")}{" "}
        <button type="button" className="link-button" aria-label={t("tasks.go")} onClick={toFirst}>
          <kbd>{"Q"}</kbd>
        </button>
        <small>
          {t("tasks.open", { count: left.length })}
          {late > 0 && (
            <span className="late">
              {" · "}
              {t("tasks.late", { count: late })}
            </span>
          )}
        </small>
      </h3>
      <AlarmLevel incident={incident} may={mayUpdate} />
      {isError && !data && (
        <p className="form-failure" role="alert">
          {t("tasks.failed")}{" "}
          <button type="button" className="link-button" onClick={() => void refetch()}>
            {t("action.retry")}
          </button>
        </p>
      )}
      <ol className="task-list">
        {shown.map((task, index) => (
          <Task key={task.id} task={task} now={now} may={mayUpdate} first={index === 0 && !all} onChange={put} />
        ))}
      </ol>
      {tasks.length > left.length && (
        <button type="button" className="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? t("tasks.hide") : t("tasks.show", { count: tasks.length - left.length })}
        </button>
      )}
      {mayUpdate && <NewTask incident={incident} onAdded={() => void refetch()} />}
    </section>
  );
}

/** Up and down go from box to box, as in any list. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || !(event.target instanceof HTMLInputElement) || event.target.type !== "checkbox") return;
  event.preventDefault();
  const boxes = [...event.currentTarget.querySelectorAll<HTMLInputElement>("input[type=checkbox]")];
  boxes[boxes.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
}

function AlarmLevel({ incident, may }: { incident: Placed<Incident>; may: boolean }) {
  const [busy, setBusy] = useState(false);
  const card = useRunCard(incident.type_code, incident.priority);
  const level = incident.alarm_level;
  const next = card?.levels[level];
  const act = (change: () => Promise<unknown>, said: string, undo?: () => Promise<unknown>) => {
    setBusy(true);
    void change()
      .then(() => say(said, undo), sayFailed)
      .finally(() => setBusy(false));
  };
  if (level === 1 && !next) return null;
  return (
    <p className="alarm-level">
      <span className={`state-chip${level > 1 ? " state-chip-hot" : ""}`}>{t("tasks.level", { n: level })}</span>
      {may && next && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconArrowUp size={15} />}
          loading={busy}
          onClick={() =>
            act(
              () => raiseAlarm(incident.id, level + 1),
              t("tasks.raised", { n: level + 1 }),
              () => lowerAlarm(incident.id, level, t("tasks.undone")),
            )
          }
        >
          {t("tasks.raise", { n: level + 1 })}
        </Button>
      )}
      {next && <small>{t("tasks.adds", { what: addsWords(next) })}</small>}
      {may && level > 1 && (
        <button type="button" className="link-button" disabled={busy} onClick={() => act(() => lowerAlarm(incident.id, level - 1, t("tasks.byMistake")), t("tasks.lowered", { n: level - 1 }))}>
          {t("tasks.lower", { n: level - 1 })}
        </button>
      )}
    </p>
  );
}

interface Props {
  task: IncidentTask;
  now: number;
  may: boolean;
  first: boolean;
  onChange: (task: IncidentTask) => void;
}

function Task({ task, now, may, first, onChange }: Props) {
  const steps = task.checklist.length;
  const ticked = task.checklist.filter(({ done_at }) => done_at).length;
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [dropping, setDropping] = useState(false);
  const [busy, setBusy] = useState(false);
  const open = wanted ?? (first && steps > 0);
  const act = (change: () => Promise<IncidentTask>, said?: string) => {
    setBusy(true);
    void change()
      .then((changed) => {
        onChange(changed);
        if (said) say(said, () => reopenTask(changed).then(onChange));
      }, sayFailed)
      .finally(() => setBusy(false));
  };
  const done = task.state === "done";
  const over = task.state !== "open";
  return (
    <li className={`task task-${task.state}`}>
      <div className="task-row">
        <label>
          <input
            type="checkbox"
            checked={done}
            disabled={!may || busy || task.state === "not_needed"}
            onChange={() => (done ? act(() => reopenTask(task)) : act(() => completeTask(task), t("tasks.done", { what: titleOf(task) })))}
          />
          <span>
            {task.kind === "message" && <IconMessage2 size={15} aria-hidden />}
            {titleOf(task)}
          </span>
        </label>
        {!over && (
          <span className="task-meta">
            {task.level !== null && task.level > 1 && <small>{t("tasks.ofLevel", { n: task.level })}</small>}
            {task.agency?.phone && (
              <a className="task-phone" href={`tel:${task.agency.phone.replace(/\s/g, "")}`}>
                <IconPhone size={14} aria-hidden /> {task.agency.phone}
              </a>
            )}
            {task.due_at && <Due at={task.due_at} now={now} />}
            {steps > 0 && (
              <button type="button" className="link-button" aria-expanded={open} onClick={() => setWanted(!open)}>
                {t("tasks.steps", { done: ticked, count: steps })}
              </button>
            )}
          </span>
        )}
        {may && !over && (
          <button type="button" className="task-x" aria-label={t("tasks.dropIt", { what: titleOf(task) })} title={t("tasks.drop")} onClick={() => setDropping(!dropping)}>
            <IconX size={15} />
          </button>
        )}
        {task.state === "not_needed" && may && (
          <button type="button" className="link-button" onClick={() => act(() => reopenTask(task))}>
            {t("tasks.reopen")}
          </button>
        )}
      </div>
      {over && <small className="task-by">{whyOver(task)}</small>}
      {dropping && (
        <Drop
          onGive={(reason) => {
            setDropping(false);
            act(() => dropTask(task, reason), t("tasks.dropped", { what: titleOf(task) }));
          }}
          onLeave={() => setDropping(false)}
        />
      )}
      {open && !over && (
        <ul className="steps">
          {task.checklist.map((step) => (
            <li key={step.number}>
              <label>
                <input type="checkbox" checked={step.done_at !== null} disabled={!may || busy} onChange={() => act(() => tickStep(task, step.number, step.done_at === null))} />
                <span>{step.text}</span>
                {step.done_at && <small>{t("tasks.by", { by: step.done_by, hour: hour(step.done_at) })}</small>}
              </label>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Overdue in words, not only in red. */
function Due({ at, now }: { at: string; now: number }) {
  const left = Date.parse(at) - now;
  return left < 0 ? (
    <span className="task-due late">
      <IconAlertTriangle size={14} aria-hidden /> {t("tasks.wasDue", { age: age(-left) })}
    </span>
  ) : (
    <span className="task-due">{t("tasks.due", { age: age(left) })}</span>
  );
}

function Drop({ onGive, onLeave }: { onGive: (reason: string) => void; onLeave: () => void }) {
  const [reason, setReason] = useState("");
  return (
    <form
      className="task-drop"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) onGive(reason.trim());
      }}
    >
      <TextInput
        autoFocus
        size="xs"
        aria-label={t("tasks.whyDrop")}
        placeholder={t("tasks.whyDrop")}
        maxLength={200}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          event.nativeEvent.stopImmediatePropagation();
          onLeave();
        }}
      />
      <Button type="submit" size="xs" variant="default" disabled={!reason.trim()}>
        {t("tasks.drop")}
      </Button>
    </form>
  );
}

function NewTask({ incident, onAdded }: { incident: Placed<Incident>; onAdded: () => void }) {
  const [draft, setDraft, discard] = useDraft(`task:${incident.id}`, { id: "", text: "" });
  async function add(event: FormEvent) {
    event.preventDefault();
    const text = draft.text.trim();
    if (!text) return;
    const id = draft.id || newId();
    setDraft({ id });
    try {
      await addTask(incident.id, id, text);
      discard();
      onAdded();
    } catch (error) {
      sayFailed(error);
    }
  }
  return (
    <form className="task-new" onSubmit={(event) => void add(event)}>
      <TextInput size="xs" aria-label={t("tasks.new")} placeholder={t("tasks.new")} maxLength={200} value={draft.text} onChange={(event) => setDraft({ text: event.currentTarget.value, id: "" })} />
      {draft.text.trim() && (
        <Button type="submit" size="xs" variant="default">
          {t("tasks.add")}
        </Button>
      )}
    </form>
  );
}

function titleOf({ kind, text, agency, to }: IncidentTask): string {
  if (kind === "agency" && agency) {
    const asked = t(agency.count > 1 ? "tasks.askMany" : "tasks.ask", { agency: agency.name, n: agency.count });
    return text ? `${asked}: ${text}` : asked;
  }
  return kind === "message" ? `${word("tasks.to", to ?? "")}: ${text}` : text;
}

function whyOver({ state, reason, state_at, state_by }: IncidentTask): string {
  const by = t("tasks.by", { by: state_by, hour: hour(state_at) });
  if (state === "done") return by;
  return `${t("tasks.notNeeded")}: ${has(`tasks.reasons.${reason}`) ? t(`tasks.reasons.${reason}`) : reason} · ${by}`;
}
