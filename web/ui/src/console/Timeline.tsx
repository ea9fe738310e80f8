import { Button, Textarea } from "@mantine/core";
import { IconHistory, IconStrikethrough } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { newId, Refusal } from "../lib/api";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { clock } from "../lib/clock";
import { hourSeconds, stamp } from "../lib/format";
import { has, t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useKinds, useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { strikeRadio } from "../lib/radio";
import { useMay, useSession } from "../lib/session";
import { addNote, strikeNote, timeline } from "../lib/verbs";
import type { Incident, Link, TimelineEntry } from "../lib/wire";
import { linkWords } from "./Links";
import { seeMoment } from "./replay";
import { Strike } from "./Strike";
import { useAct } from "./useAct";

/** Everything that happened, with its hour and its author; newest on top, nothing is ever taken away. */
export function Timeline({ incident }: { incident: Incident }) {
  const mayNote = useMay("note.add");
  const mayStrike = useMay("note.strike");
  const { person } = useSession();
  const queries = useQueryClient();
  const now = useSecond();
  const past = useInPast();
  const mayLook = useMay("past.look");
  const title = useRef<HTMLHeadingElement>(null);
  useKinds("radio");
  // A radio line stands in the story without being told twice: its own news is the story's.
  const said = board.radio().reduce((sum, { incident_id, version }) => (incident_id === incident.id ? sum + version : sum), 0);
  const queryKey = past ? ["timeline", incident.id, "past"] : ["timeline", incident.id, incident.version, said];
  const { data, isPending, isError, refetch } = useQuery({
    // The past is cut out of what is known now: one reading serves all its moments.
    queryKey,
    queryFn: () => timeline(incident.id),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  useKey("t", () => {
    title.current?.scrollIntoView({ block: "start" });
    title.current?.focus();
  });
  const written = (note: string, text: string) => {
    // It is on the server; show it now, and let the fresh timeline replace it.
    const entry: TimelineEntry = {
      id: note, at: new Date(clock.now()).toISOString(), recorded_at: new Date(clock.now()).toISOString(), kind: "note.added",
      actor: { name: person.name, role: person.role }, detail: {}, note: { id: note, text, struck: null },
    };
    queries.setQueryData<{ entries: TimelineEntry[] }>(queryKey, (held) =>
      held && !held.entries.some((each) => each.note?.id === note) ? { entries: [...held.entries, entry] } : held,
    );
    void refetch();
  };
  const entries = (past ? knownAt(data?.entries ?? [], now) : (data?.entries ?? [])).toReversed();
  return (
    <section className="card-section timeline">
      <h3 ref={title} tabIndex={-1}>
        {t("timeline.title")} <kbd>{"T"}</kbd>
      </h3>
      {mayNote && <NewNote incident={incident} onAdded={written} />}
      {isPending && <p className="card-empty">{t("page.loading")}</p>}
      {isError && !data && (
        <p className="form-failure" role="alert">
          {t("timeline.failed")}{" "}
          <button type="button" className="link-button" onClick={() => void refetch()}>
            {t("action.retry")}
          </button>
        </p>
      )}
      <ol className="entries">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} incident={incident} now={now} mayStrike={mayStrike} mayLook={mayLook} me={past ? null : person.id} onStruck={() => void refetch()} />
        ))}
      </ol>
    </section>
  );
}

/** What stood there at a moment: lines that were written by then, notes that nobody had struck yet. */
export const knownAt = (entries: TimelineEntry[], at: number): TimelineEntry[] =>
  entries
    .filter(({ recorded_at }) => Date.parse(recorded_at) <= at + 999) // the shown second is a whole one
    .map((entry) => ({ ...entry, note: entry.note && struckBy(entry.note, at), radio: entry.radio && struckBy(entry.radio, at) }));

const struckBy = <N extends { struck: { at: string } | null }>(note: N, at: number): N => (note.struck && Date.parse(note.struck.at) > at + 999 ? { ...note, struck: null } : note);

function Entry({ entry, incident, now, mayStrike, mayLook, me, onStruck }: { entry: TimelineEntry; incident: Incident; now: number; mayStrike: boolean; mayLook: boolean; me: string | null; onStruck: () => void }) {
  const [striking, setStriking] = useState(false);
  const { type, dispositions } = useCatalogue();
  // Striking is told in its own line too; the text itself stands once, where it was written.
  const radio = entry.kind === "radio.logged" ? entry.radio : undefined;
  const note = entry.kind === "note.struck" || entry.kind === "incident.summarised" ? undefined : radio ?? entry.note;
  const late = Math.abs(Date.parse(entry.recorded_at) - Date.parse(entry.at)) > 60_000;
  return (
    <li className={note ? "entry entry-note" : "entry"}>
      <time dateTime={entry.at}>{stamp(entry.at, now)}</time>
      <div>
        {note ? (
          note.text === null ? (
            <p className="struck-away">{t("timeline.withheld")}</p>
          ) : note.struck ? (
            <p>
              {radio?.call_sign && <b>{radio.call_sign} </b>}
              <del>{note.text}</del>
              <small>{t("timeline.struck", { by: note.struck.by, hour: hourSeconds(note.struck.at), reason: note.struck.reason })}</small>
            </p>
          ) : (
            <p className="note-text">
              {radio && <b className="entry-radio">{t("radio.says", { who: radio.call_sign ?? t("radio.everyone") })} </b>}
              {note.text}
            </p>
          )
        ) : (
          <p>
            {sentence(entry, (code) => type(code)?.name, (code) => dispositions.find((each) => each.code === code)?.name)}
            {entry.fact !== undefined && <q className="entry-fact">{entry.fact}</q>}
            {typeof entry.detail.answer === "string" && <small>{t("timeline.answered", { text: entry.detail.answer })}</small>}
            {entry.kind === "incident.summarised" && entry.note?.text && <small>{t("timeline.before", { text: entry.note.text })}</small>}
            {entry.link && <LinkWords link={entry.link} of={entry.incident?.id ?? incident.id} />}
          </p>
        )}
        <small>
          {entry.incident && <b className="entry-of">{entry.incident.code}</b>}
          {entry.actor?.name ?? t("timeline.system")}
          {late && ` · ${t("timeline.recorded", { hour: hourSeconds(entry.recorded_at) })}`}
        </small>
        {striking && note && <Strike line={note.id} strike={(reason) => (radio ? strikeRadio(note.id, reason) : strikeNote(entry.incident?.id ?? incident.id, note.id, reason))} onDone={() => { setStriking(false); onStruck(); }} onCancel={() => setStriking(false)} />}
      </div>
      {note && note.text !== null && !note.struck && (mayStrike || (me !== null && radio?.by_id === me)) && !striking && (
        <button type="button" className="entry-strike" aria-label={t("timeline.strike")} title={t("timeline.strike")} onClick={() => setStriking(true)}>
          <IconStrikethrough size={15} />
        </button>
      )}
      {mayLook && (
        <button type="button" className="entry-see" aria-label={t("replay.seeMoment", { hour: hourSeconds(entry.recorded_at) })} title={t("replay.seeMoment", { hour: hourSeconds(entry.recorded_at) })} onClick={() => void seeMoment(Date.parse(entry.recorded_at) + 1)}>
          <IconHistory size={15} />
        </button>
      )}
    </li>
  );
}

/** With which incident, and how they hang together. */
function LinkWords({ link, of }: { link: Link; of: string }) {
  const { text, other } = linkWords(link, of);
  return <span>{` · ${text} ${other.code}`}</span>;
}

/** One sentence for each kind, filled with what the entry says; a kind we do not know yet is still shown by its name. */
export function sentence(
  { kind, detail }: Pick<TimelineEntry, "kind" | "detail">,
  typeName: (code: string) => string | undefined = () => undefined,
  dispositionName: (code: string) => string | undefined = () => undefined,
): string {
  // A reclassification says `{from: {…}, to: {…}}`; everything else is flat.
  const said: Record<string, unknown> = typeof detail.to === "object" && detail.to !== null ? { ...detail, ...detail.to } : detail;
  const text = (name: string): string => (typeof said[name] === "string" ? said[name] : "");
  const to = text("to");
  const type = text("type");
  const disposition = text("disposition");
  const ofUnit = kind === "assignment.status" || kind === "assignment.undone";
  const status = to && word(ofUnit ? "assignment.status" : "state", to);
  const values = {
    unit: text("call_sign") || t("timeline.aUnit"),
    status: ofUnit ? status.toLowerCase() : status,
    staging: typeof said.staging === "object" && said.staging !== null && "name" in said.staging ? String(said.staging.name) : "",
    type: (type && typeName(type)) || type,
    priority: typeof said.priority === "number" ? t("timeline.priority", { n: said.priority }) : "",
    disposition: (disposition && dispositionName(disposition)) || disposition,
    organization: text("organization"),
    fence: text("fence"),
    level: typeof said.to === "number" ? said.to : "",
    alarm: text("alarm") && word("alarms.kinds", text("alarm")).toLowerCase(),
    call_sign: text("call_sign"),
    answers: answersOf(said.answers),
    why: text("why"),
    handler: text("to"),
  };
  // What the answers said counts only where they set the priority.
  const weighed = kind === "incident.answered" && text("by") === "answers" ? "_why" : "";
  const unsolved = kind === "incident.reopened" && detail.unsolved === true ? "_unsolved" : "";
  const key = `timeline.kinds.${kind.replace(".", "_")}${weighed}${unsolved}`;
  const base = (has(key) ? t(key, values) : kind).replace(/[\s:·]+$/, "");
  // Released because the incident ended: the line above already says so.
  const reason = has(`state.${text("reason")}`) ? "" : text("reason") || text("note");
  return [base, reason].filter(Boolean).join(base.includes(": ") ? ". " : ": ");
}

/** "¿Hay heridos? Uno · ¿Alguien atrapado? No", in the words of that day. */
const answersOf = (answers: unknown): string =>
  Array.isArray(answers) ? (answers as { asked: string; said: string }[]).map(({ asked, said }) => `${asked} ${said}`).join(" · ") : "";

function NewNote({ incident, onAdded }: { incident: Incident; onAdded: (note: string, text: string) => void }) {
  const [draft, change, discard, kept] = useDraft(`note:${incident.id}`, { id: newId(), text: "" });
  const { busy, failure, act, setFailure } = useAct();
  const [unsent, setUnsent] = useState(kept && draft.text !== "");
  async function submit(event?: FormEvent) {
    event?.preventDefault();
    const text = draft.text.trim();
    if (!text || busy) return;
    const done = await act(async () => {
      try {
        await addNote(incident.id, draft.id, text);
        return true;
      } catch (error) {
        if (error instanceof Refusal && error.unreachable) setUnsent(true);
        throw error;
      }
    });
    if (!done) return;
    onAdded(draft.id, text);
    discard();
    change({ id: newId(), text: "" });
    setUnsent(false);
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      void submit();
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      event.currentTarget.blur();
    }
  };
  return (
    <form className="new-note" onSubmit={(event) => void submit(event)}>
      <Textarea
        aria-label={t("timeline.newNote")}
        placeholder={t("timeline.newNote")}
        autosize
        minRows={1}
        maxRows={6}
        maxLength={4000}
        value={draft.text}
        onChange={(event) => {
          setFailure(null);
          change({ text: event.currentTarget.value });
        }}
        onKeyDown={onKeyDown}
      />
      <Button type="submit" size="sm" variant="default" loading={busy} disabled={draft.text.trim() === ""}>
        {t("timeline.add")} <kbd>{"↵"}</kbd>
      </Button>
      {(failure !== null || (unsent && draft.text !== "")) && (
        <p className="form-failure" role="alert">
          {unsent && <strong className="unsent">{t("timeline.unsent")}</strong>} {failure}
        </p>
      )}
    </form>
  );
}
