import "./radio.css";
import { Button, Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBook, IconLink, IconStrikethrough, IconX } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRef, useState, type KeyboardEvent } from "react";
import { newId, Refusal } from "../lib/api";
import { useDraft } from "../lib/drafts";
import { explain } from "../lib/explain";
import { hour, hourSeconds, stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { keyOf } from "../lib/keys";
import { board, useKinds, useSecond } from "../lib/live";
import { frozenOrder } from "../lib/queue";
import { logRadio, peelUnit, radioBook, radioOrder, strikeRadio, tiedTo, type RadioLine } from "../lib/radio";
import { useInPast } from "../lib/moment";
import { useGranted, useMay, useSession } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import type { Incident, Unit } from "../lib/wire";
import { desk, select, useDesk } from "./desk";
import { openFound } from "./past";
import { Strike } from "./Strike";
import { useAct } from "./useAct";

const SHOWN = 80; // of the last hour; the rest is in the book

/** What is said over the air: one line to write, and what was written in the last hour. `R` is where one writes. */
export function RadioLog() {
  const may = useGranted("radio.log");
  const past = useInPast();
  const field = useRef<HTMLInputElement>(null);
  if (!may) return null;
  return (
    <section className="radio-log" aria-label={t("radio.title")}>
      <header>
        <h2>{t("radio.title")}</h2>
        <button type="button" className="radio-book-button" aria-label={t("radio.book")} title={past ? t("replay.rests.present") : t("radio.book")} disabled={past} onClick={() => desk.setState({ sheet: "radio" })}>
          <IconBook size={16} />
        </button>
      </header>
      {past ? <span /> : <NewLine field={field} />}
      <LastLines />
    </section>
  );
}

interface Draft {
  id: string;
  text: string;
  unit?: string | null;
  incident?: string | null;
}

function NewLine({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  useKinds("unit", "incident");
  const [draft, change, discard, kept] = useDraft<Draft>("radio", { id: newId(), text: "" });
  const { busy, failure, act, setFailure } = useAct();
  const [unsent, setUnsent] = useState(kept && draft.text !== "");
  const selected = useDesk((state) => state.selected);
  const chosen = selected ? board.get<Unit | Incident>(selected) : null;
  const selection = {
    unit: selected?.startsWith("unit:") && chosen ? (chosen as Unit) : null,
    incident: selected?.startsWith("incident:") && chosen && !(chosen as Incident).masked ? chosen.id : null,
  };
  const incidentOf = (unit: string) => board.get<Unit>(`unit:${unit}`)?.incident_id ?? null;
  const tied = tiedTo(draft, selection, incidentOf);
  const unit = tied.unit ? board.get<Unit>(`unit:${tied.unit}`) : null;
  const incident = tied.incident ? board.get<Incident>(`incident:${tied.incident}`) : null;
  const written = (text: string) => {
    setFailure(null);
    const named = peelUnit(text, board.units());
    // What stood when one began to write is what one writes about: selecting something else later changes nothing.
    if (named) change({ text: named.rest, unit: named.unit.id, incident: draft.incident ?? incidentOf(named.unit.id) ?? tied.incident });
    else if (text.trim() === "") change({ text, unit: draft.unit, incident: draft.incident });
    else change({ text, unit: tied.unit, incident: tied.incident === null && draft.incident === undefined ? undefined : tied.incident });
  };
  async function submit() {
    const text = draft.text.trim();
    if (!text || busy) return;
    const done = await act(async () => {
      try {
        return await logRadio({ id: draft.id, unit_id: tied.unit ?? undefined, incident_id: tied.incident ?? (draft.incident === null ? null : undefined), text });
      } catch (error) {
        setUnsent(error instanceof Refusal && error.unreachable);
        throw error;
      }
    });
    if (!done) return;
    discard();
    change({ id: newId(), text: "", unit: undefined, incident: undefined });
    setUnsent(false);
    say(t("radio.logged", { who: done.call_sign ?? t("radio.everyone") }), undoOf(done));
  }
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      // One step back: the text stays where it is.
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      event.currentTarget.blur();
    }
    if (event.key === "Backspace" && draft.text === "" && unit) change({ unit: null, incident: null });
  };
  return (
    <form
      className="radio-new"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div className="radio-line">
        <kbd aria-hidden>{keyOf("R")}</kbd>
        {unit && (
          <button type="button" className="radio-chip" aria-label={t("radio.withoutUnit", { unit: unit.call_sign })} title={t("radio.withoutUnit", { unit: unit.call_sign })} onClick={() => { change({ unit: null, incident: tied.incident }); field.current?.focus(); }}>
            {unit.call_sign} <IconX size={12} aria-hidden />
          </button>
        )}
        {incident && (
          <button type="button" className="radio-chip radio-chip-incident" aria-label={t("radio.untie", { code: incident.code })} title={t("radio.untie", { code: incident.code })} onClick={() => { change({ unit: tied.unit, incident: null }); field.current?.focus(); }}>
            <IconLink size={12} aria-hidden /> {incident.code} <IconX size={12} aria-hidden />
          </button>
        )}
        <input
          ref={field}
          value={draft.text}
          maxLength={2000}
          autoComplete="off"
          aria-label={t("radio.write")}
          placeholder={unit ? t("radio.writeShort") : t("radio.hint")}
          onChange={(event) => written(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <Button type="submit" size="compact-md" variant="default" loading={busy} disabled={draft.text.trim() === ""}>
        {t("radio.log")} <kbd>{"↵"}</kbd>
      </Button>
      {(failure !== null || (unsent && draft.text !== "")) && (
        <p className="form-failure" role="alert">
          {unsent && <strong className="unsent">{t("timeline.unsent")}</strong>} {failure}
        </p>
      )}
    </form>
  );
}

/** Nothing moves under the pointer or the focus: what comes meanwhile waits above, counted. */
function LastLines() {
  useKinds("radio");
  const now = useSecond();
  const [frozen, setFrozen] = useState<string[] | null>(null);
  const past = useInPast();
  const lines = board.radio().sort(radioOrder);
  const byId = new Map(lines.map((line) => [line.id, line]));
  const order = frozenOrder(past ? null : frozen, lines.map(({ id }) => id));
  const shown = order.shown.flatMap((id) => byId.get(id) ?? []).slice(0, SHOWN);
  const freeze = () => setFrozen((held) => held ?? lines.map(({ id }) => id));
  return (
    <div
      className="radio-lines"
      data-scroll
      onPointerEnter={freeze}
      onPointerLeave={() => setFrozen(null)}
      onFocus={freeze}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setFrozen(null)}
    >
      {order.held.length > 0 && (
        <button type="button" className="radio-held" onClick={() => setFrozen(null)}>
          {t("radio.held", { count: order.held.length })}
        </button>
      )}
      {shown.length === 0 ? (
        <p className="radio-none">{t("radio.none")}</p>
      ) : (
        <ol>
          {shown.map((line) => (
            <Line key={line.id} line={line} now={now} />
          ))}
        </ol>
      )}
    </div>
  );
}

export function Line({ line, now, whole = false }: { line: RadioLine; now: number; whole?: boolean }) {
  const { person } = useSession();
  const mayStrike = useMay("note.strike");
  const past = useInPast();
  const [striking, setStriking] = useState(false);
  const late = Date.parse(line.logged_at) - Date.parse(line.said_at) > 60_000;
  return (
    <li className={whole ? "radio-row radio-row-whole" : "radio-row"}>
      <time dateTime={line.said_at} title={hourSeconds(line.said_at)}>
        {whole ? stamp(line.said_at, now) : hour(line.said_at)}
      </time>
      {line.unit_id && line.call_sign ? (
        <button type="button" className="radio-who" onClick={() => show(`unit:${line.unit_id ?? ""}`)}>
          {line.call_sign}
        </button>
      ) : (
        <span className="radio-who">{"—"}</span>
      )}
      <span className="radio-text" title={whole ? undefined : line.text}>
        {line.struck ? <del>{line.text}</del> : line.text}
        {line.struck && <small>{t(line.struck.reason ? "radio.struck" : "radio.takenBack", { by: line.struck.by, hour: hour(line.struck.at), reason: line.struck.reason })}</small>}
        {late && <small>{t("timeline.recorded", { hour: hour(line.logged_at) })}</small>}
      </span>
      {line.incident_id && (
        <button type="button" className="radio-code link-button" onClick={() => void (desk.setState({ sheet: null }), openFound(line.incident_id ?? ""))}>
          {line.incident_code}
        </button>
      )}
      <small className="radio-by">{line.by}</small>
      {!line.struck && !past && (mayStrike || line.by_id === person.id) && (
        <button type="button" className="entry-strike" aria-label={t("radio.strike", { text: line.text })} title={t("timeline.strike")} onClick={() => setStriking(!striking)}>
          <IconStrikethrough size={15} />
        </button>
      )}
      {striking && !line.struck && <Strike line={line.id} strike={(reason) => strikeRadio(line.id, reason)} onDone={() => setStriking(false)} onCancel={() => setStriking(false)} />}
    </li>
  );
}

function show(subject: string) {
  desk.setState({ sheet: null });
  select(subject);
}

/** The whole book, as far back as it goes. */
export function RadioBook() {
  const open = useDesk((state) => state.sheet === "radio");
  const may = useMay("radio.log");
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={open && may} onClose={() => desk.setState({ sheet: null })} title={t("radio.title")} size="60rem" closeButtonProps={{ "aria-label": t("action.close") }}>
      <Book />
    </Modal>
  );
}

function Book() {
  const turn = useKinds("radio");
  const now = useSecond();
  const [words, setWords] = useState("");
  const [q] = useDebouncedValue(words.trim(), 250);
  const book = useInfiniteQuery({
    queryKey: ["radio-book", q, turn],
    queryFn: ({ pageParam }) => radioBook({ q, before: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: (held) => held,
  });
  const lines = book.data?.pages.flatMap((page) => page.lines) ?? [];
  return (
    <div className="radio-book">
      <TextInput data-autofocus type="search" label={t("radio.find")} placeholder={t("radio.findHint")} value={words} maxLength={200} onChange={(event) => setWords(event.currentTarget.value)} />
      {book.isPending && <p className="card-empty">{t("page.loading")}</p>}
      {book.error && (
        <p className="form-failure" role="alert">
          {explain(book.error)}
        </p>
      )}
      {book.data && lines.length === 0 && <p className="card-empty">{q ? t("radio.notFound", { words: q }) : t("radio.noneEver")}</p>}
      <ol>
        {lines.map((line) => (
          <Line key={line.id} line={line} now={now} whole />
        ))}
      </ol>
      {book.hasNextPage && (
        <Button variant="default" loading={book.isFetchingNextPage} onClick={() => void book.fetchNextPage()}>
          {t("radio.earlier")}
        </Button>
      )}
    </div>
  );
}
