import { Button, Textarea, TextInput } from "@mantine/core";
import { IconStrikethrough } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { newId, Refusal } from "../lib/api";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { clock } from "../lib/clock";
import { hourSeconds, stamp } from "../lib/format";
import { has, t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useMay, useSession } from "../lib/session";
import { addNote, strikeNote, timeline } from "../lib/verbs";
import type { Incident, Link, TimelineEntry } from "../lib/wire";
import { linkWords } from "./Links";
import { useAct } from "./useAct";

/** Everything that happened, with its hour and its author; newest on top, nothing is ever taken away. */
export function Timeline({ incident }: { incident: Incident }) {
  const mayNote = useMay("note.add");
  const mayStrike = useMay("note.strike");
  const { person } = useSession();
  const queries = useQueryClient();
  const now = useSecond();
  const title = useRef<HTMLHeadingElement>(null);
  const { data, isPending, isError, refetch } = useQuery({
    queryKey: ["timeline", incident.id, incident.version],
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
    queries.setQueryData<{ entries: TimelineEntry[] }>(["timeline", incident.id, incident.version], (held) =>
      held && !held.entries.some((each) => each.note?.id === note) ? { entries: [...held.entries, entry] } : held,
    );
    void refetch();
  };
  const entries = (data?.entries ?? []).toReversed();
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
          <Entry key={entry.id} entry={entry} incident={incident} now={now} mayStrike={mayStrike} onStruck={() => void refetch()} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ entry, incident, now, mayStrike, onStruck }: { entry: TimelineEntry; incident: Incident; now: number; mayStrike: boolean; onStruck: () => void }) {
  const [striking, setStriking] = useState(false);
  const { type, dispositions } = useCatalogue();
  // Striking is told in its own line too; the text itself stands once, where it was written.
  const note = entry.kind === "note.struck" ? undefined : entry.note;
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
              <del>{note.text}</del>
              <small>{t("timeline.struck", { by: note.struck.by, hour: hourSeconds(note.struck.at), reason: note.struck.reason })}</small>
            </p>
          ) : (
            <p className="note-text">{note.text}</p>
          )
        ) : (
          <p>
            {sentence(entry, (code) => type(code)?.name, (code) => dispositions.find((each) => each.code === code)?.name)}
            {entry.link && <LinkWords link={entry.link} of={entry.incident?.id ?? incident.id} />}
          </p>
        )}
        <small>
          {entry.incident && <b className="entry-of">{entry.incident.code}</b>}
          {entry.actor?.name ?? t("timeline.system")}
          {late && ` · ${t("timeline.recorded", { hour: hourSeconds(entry.recorded_at) })}`}
        </small>
        {striking && note && <Strike incident={entry.incident?.id ?? incident.id} note={note.id} onDone={() => { setStriking(false); onStruck(); }} onCancel={() => setStriking(false)} />}
      </div>
      {note && note.text !== null && !note.struck && mayStrike && !striking && (
        <button type="button" className="entry-strike" aria-label={t("timeline.strike")} title={t("timeline.strike")} onClick={() => setStriking(true)}>
          <IconStrikethrough size={15} />
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
  };
  const key = `timeline.kinds.${kind.replace(".", "_")}`;
  const base = (has(key) ? t(key, values) : kind).replace(/[\s:·]+$/, "");
  // Released because the incident ended: the line above already says so.
  const reason = has(`state.${text("reason")}`) ? "" : text("reason") || text("note");
  return [base, reason].filter(Boolean).join(base.includes(": ") ? ". " : ": ");
}

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

function Strike({ incident, note, onDone, onCancel }: { incident: string; note: string; onDone: () => void; onCancel: () => void }) {
  const [reason, setReason] = useState("");
  const { busy, failure, act } = useAct();
  return (
    <form
      className="strike"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) void act(() => strikeNote(incident, note, reason.trim())).then((done) => done !== null && onDone());
      }}
    >
      <TextInput size="xs" autoFocus label={t("timeline.strikeWhy")} value={reason} maxLength={300} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button type="submit" size="compact-sm" loading={busy} disabled={!reason.trim()}>
        {t("timeline.strike")}
      </Button>
      <Button size="compact-sm" variant="subtle" color="gray" onClick={onCancel}>
        {t("action.back")}
      </Button>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </form>
  );
}
