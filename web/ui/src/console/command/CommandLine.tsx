import "./command.css";
import { Menu, UnstyledButton } from "@mantine/core";
import { IconCheck, IconCommand, IconHourglass, IconMapPin, IconNote, IconPhone, IconRadio, IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useStore } from "zustand";
import { useCatalogue } from "../../lib/catalogue";
import { clock } from "../../lib/clock";
import { looksNew, noteOf, parse, pickKey, pieceOf, piecesOf, type Choice, type Command, type Piece, type Verb, type Vocabulary } from "../../lib/command";
import { useDraft } from "../../lib/drafts";
import { hourSeconds } from "../../lib/format";
import { has, t, word } from "../../lib/i18n";
import { typeIcon } from "../../lib/icons";
import { useKey } from "../../lib/keys";
import { board, useBoard } from "../../lib/live";
import { useInPast } from "../../lib/moment";
import { useMay, useSession } from "../../lib/session";
import { kept, type Option } from "../../lib/suggestions";
import { PriorityMark } from "../../lib/ui/PriorityMark";
import type { Incident, Level, Unit } from "../../lib/wire";
import { useWeighed } from "../calls/Questions";
import { submitIntake } from "../calls/submit";
import { desk, newIncident, setPlace, stage, useDesk } from "../desk";
import { intake, isSolid, useIntake, write, type Intake } from "../intake";
import { missing, perform } from "./acts";
import { lookUp, useLookUp, type LookUp } from "./places";
import { receipt, tell } from "./receipt";

const ORDER: Verb[] = ["new", "dispatch", "state", "radio", "go", "link", "close", "priority"];
const LETTER: Record<Verb, string> = { new: "n", dispatch: "d", state: "e", radio: "r", go: "l", link: "v", close: "c", priority: "p" };
const REST = 350; // a pause after which the choices are shown by themselves
const REMEMBERED = 20;

interface Draft {
  text: string;
  picks: Record<string, string>;
}

/** What the line says of the call, so that only what changed in it is written to the draft that others write too. */
type Said = Pick<Intake, "type" | "place" | "note" | "priority" | "phone" | "units">;
const NOTHING: Said = { type: null, place: "", note: "", priority: null, phone: "", units: [] };

interface Choosable {
  key: string;
  label: string;
  aside: ReactNode;
  take: () => void;
}

/** The line at the top: type what is to be done. One for each person, with what was typed still in it. */
export function CommandLine() {
  const { person } = useSession();
  return <Line key={person.id} />;
}

function Line() {
  const revision = useBoard();
  const { types, dispositions } = useCatalogue();
  const past = useInPast();
  const mayOpen = useMay("incident.open");
  const maySend = useMay("unit.dispatch");
  const [draft, change] = useDraft<Draft>("command", { text: "", picks: {} });
  const [focused, setFocused] = useState(false);
  const [armed, setArmed] = useState(false);
  const [mark, setMark] = useState(-1);
  const [rested, setRested] = useState(false);
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const history = useRef<{ all: string[]; at: number }>({ all: [], at: 0 });
  const id = useId();
  const call = useIntake((state) => state);
  const form = useDesk((state) => state.form);
  const last = useStore(receipt, (state) => state.last);

  const { text, picks } = draft;
  const named = useMemo(() => types.map(({ code, name, priority }) => ({ code, name, priority, words: has(`typeWords.${code}`) ? t(`typeWords.${code}`) : "" })), [types]);
  const vocabulary = useMemo<Vocabulary>(() => {
    void revision;
    return {
      types: named,
      units: board.units().map(({ id: unit, call_sign }) => ({ id: unit, call_sign })),
      incidents: board.incidents().map(({ id: incident, code }) => ({ id: incident, code })),
      results: dispositions,
      year: new Date(clock.now()).getFullYear(),
    };
  }, [named, dispositions, revision]);
  const command = useMemo(() => parse(text, vocabulary, picks), [text, vocabulary, picks]);
  const isNew = command.verb === "new";
  const placePiece = pieceOf(command, "place");
  const point = placePiece?.certainty === "solid" ? pointOf(placePiece) : null;
  const look = useLookUp(placePiece && !point && text.trim() !== "" ? placePiece.text : "");
  const ready = named.length > 0;

  useCall(command, look, point, text, ready);
  usePlaceTaken(isNew, look);
  useEffect(() => {
    setRested(false);
    const timer = setTimeout(() => setRested(true), REST);
    return () => clearTimeout(timer);
  }, [text]);

  const edit = (next: string) => {
    change({ text: next });
    setArmed(false);
    setMark(-1);
    setWhy("");
  };
  const focusEnd = () => {
    const input = field.current;
    if (!input) return;
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  };
  /** With the beginning of a command in it; what stood there is one ↑ away. */
  const begin = (verb: Verb) => {
    if (verb === "new" && desk.getState().form !== "new") newIncident();
    if (command.verb !== verb) {
      if (text.trim() !== "") remember(text);
      edit(`${LETTER[verb]} `);
    }
    // At once, so that no letter goes astray; and again when what was begun is drawn, because its card may want the focus too.
    field.current?.focus();
    queueMicrotask(focusEnd);
    setTimeout(() => document.activeElement !== field.current && focusEnd(), 0);
  };
  const remember = (line: string) => {
    const all = [...history.current.all.filter((each) => each !== line), line].slice(-REMEMBERED);
    history.current = { all, at: all.length };
  };
  const recall = (by: number): boolean => {
    const { all, at } = history.current;
    const next = at + by;
    if (all.length === 0 || next < 0 || next > all.length) return false;
    history.current = { all, at: next };
    edit(all[next] ?? "");
    return true;
  };
  useKey("n", () => begin("new"), mayOpen);
  useKey(".", focusEnd);

  const pick = (kind: Piece["kind"], of: string, value: string) => change({ picks: { ...picks, [pickKey(kind, of)]: value } });
  const question = useQuestion(command, look, call, text, vocabulary, { pick, edit });
  const open = question !== null && question.options.length > 0 && focused && (armed || rested);

  const choose = (at: number) => {
    question?.options[at]?.take();
    setMark(-1);
    setWhy("");
    focusEnd();
  };

  const say = (words: string, ask = false) => {
    setWhy(words);
    if (ask) setArmed(true);
  };

  /** Whether the call can be sent, in words when it cannot. Places that are still being looked for are waited for. */
  async function blocked(): Promise<string | null> {
    if (placePiece && !point && !intake.getState().at) {
      say(t("command.looking"));
      takeSure(await lookUp(placePiece.text));
    }
    const now = intake.getState();
    const stray = command.pieces.find(({ kind, certainty }) => certainty === "unknown" && (kind === "priority" || kind === "unit"));
    if (now.type === null) {
      const type = pieceOf(command, "type");
      return type ? t("command.typeSeveral", { word: type.text }) : t("command.typeMissing");
    }
    if (now.at === null) {
      if (!placePiece && now.place === "") return t("command.placeMissing");
      const found = placePiece ? await lookUp(placePiece.text) : null;
      return found?.state === "failed" ? t("match.offline") : found && found.options.length > 0 ? t("command.placeSeveral", { word: now.place }) : t("command.placeUnknown", { word: now.place });
    }
    if (stray?.kind === "priority") return t("command.needsLevel", { example: "!1" });
    if (stray) return t("command.noUnit", { word: stray.text });
    const blurred = piecesOf(command, "unit").find(({ certainty }) => certainty === "ambiguous");
    return blurred ? t("command.several", { word: blurred.text }) : null;
  }

  async function create(dispatch: boolean): Promise<void> {
    const reason = dispatch && !maySend ? t("command.mayNotSend") : await blocked();
    if (reason !== null) {
      say(reason, true);
      return;
    }
    const line = text;
    say(t(dispatch ? "command.sending" : "command.creating"));
    if (dispatch) tell({ state: "sending", incident: null, at: null, why: null });
    const done = await submitIntake({ dispatch });
    if (!done) {
      if (dispatch) tell(null);
      say(t("command.notCreated"));
      return;
    }
    remember(line);
    edit("");
    field.current?.blur(); // what follows is the incident's: its keys are single letters
    if (dispatch) tell({ state: done.sent > 0 ? "sent" : "failed", incident: { id: done.incident.id, code: done.incident.code }, at: clock.now(), why: done.sent > 0 ? null : t("command.nobodySent") });
  }

  async function run(dispatch: boolean): Promise<void> {
    if (busy) return;
    setBusy(true);
    try {
      if (calling) return await create(dispatch);
      if (command.verb === null) {
        say(text.trim() === "" ? t("command.empty") : t("command.unknown", { word: text.trim().split(/\s+/)[0] ?? "" }), true);
        return;
      }
      const reason = missing(command);
      if (reason !== null) {
        say(reason, true);
        return;
      }
      const found = command.verb === "go" && placePiece && !point ? await lookUp(placePiece.text) : null;
      const chosenPlace = found?.options.find(({ label }) => picks[pickKey("place", found.said)] === label) ?? (found?.sure ? found.options[0] : undefined);
      if (found && !chosenPlace) {
        say(found.state === "failed" ? t("match.offline") : found.options.length > 0 ? t("command.placeSeveral", { word: found.said }) : t("command.placeUnknown", { word: found.said }), true);
        return;
      }
      const there = point ? { at: point, label: placePiece?.text ?? "" } : chosenPlace ? { at: chosenPlace.location.coordinates, label: chosenPlace.label } : null;
      const line = text;
      const failed = await perform(command, line, there);
      if (failed !== null) {
        say(failed);
        return;
      }
      remember(line);
      edit("");
    } finally {
      setBusy(false);
    }
  }

  const calling = isNew || (text.trim() === "" && form === "new");
  const onKeyDown = (event: KeyboardEvent) => {
    const many = question?.options.length ?? 0;
    const stop = () => {
      event.preventDefault();
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
    };
    if (event.key === "Enter") {
      stop();
      if (event.ctrlKey || event.metaKey) void run(true);
      else if (armed && mark >= 0) choose(mark);
      else void run(false);
    } else if (many > 0 && event.altKey && /^Digit[1-9]$/.test(event.code)) {
      stop();
      choose(Number(event.code.slice(5)) - 1);
    } else if (many > 0 && armed && /^[1-9]$/.test(event.key) && !event.ctrlKey && Number(event.key) <= many) {
      stop();
      choose(Number(event.key) - 1);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const by = event.key === "ArrowDown" ? 1 : -1;
      if (many > 0 && (text.trim() !== "" || armed)) {
        stop();
        setArmed(true);
        setMark((held) => (held < 0 ? (by > 0 ? 0 : many - 1) : (held + by + many) % many));
      } else if (recall(by)) stop();
    } else if (event.key === "Tab" && !event.shiftKey && calling && !event.ctrlKey && !event.altKey) {
      // The other hand on the same paper comes next.
      const next = document.querySelector<HTMLElement>("#card input:not([type=hidden]):not([disabled]), #card textarea");
      if (next) {
        stop();
        next.focus();
      }
    } else if (event.key === "Escape") {
      if (armed) {
        stop();
        setArmed(false);
        setMark(-1);
      } else {
        // One level: the line; a call's card, which N opened with it, goes with it. The words stay.
        if (!calling) stop();
        field.current?.blur();
      }
    }
  };

  const inert = calling && !isSolid(call);
  const panel = (focused && text.trim() !== "") || last !== null;
  return (
    <div
      className="command"
      hidden={past}
      data-open={focused || undefined}
      data-kept={text.trim() !== "" || undefined}
      onFocus={() => setFocused(true)}
      onBlur={(event) => {
        if (event.currentTarget.contains(event.relatedTarget)) return;
        setFocused(false);
        setArmed(false);
      }}
    >
      <Menu position="bottom-start" width={430} returnFocus={false} onClose={() => undefined}>
        <Menu.Target>
          <UnstyledButton className="command-menu" aria-label={t("command.menu")} title={t("command.menu")}>
            <IconCommand size={18} aria-hidden /> <span>{t("command.menuShort")}</span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("command.menuTitle")}</Menu.Label>
          {ORDER.map((verb) => (
            <Menu.Item key={verb} disabled={verb === "new" && !mayOpen} leftSection={<kbd>{LETTER[verb]}</kbd>} onClick={() => begin(verb)}>
              <span className="command-item">
                <b>{t(`command.verb.${verb}`)}</b>
                <code>{t(`command.example.${verb}`)}</code>
              </span>
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconSearch size={16} />} rightSection={<kbd>{"Ctrl K"}</kbd>} onClick={() => desk.setState({ sheet: "search" })}>
            {t("search.title")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <div className="command-line">
        <input
          ref={field}
          className="command-input"
          type="text"
          role="combobox"
          aria-label={t("command.title")}
          aria-autocomplete="list"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-activedescendant={open && mark >= 0 ? `${id}-${mark}` : undefined}
          aria-describedby={`${id}-why`}
          placeholder={t("command.placeholder")}
          value={text}
          maxLength={600}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => edit(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="button" className="command-search" aria-label={t("search.open")} title={t("search.open")} onClick={() => desk.setState({ sheet: "search" })}>
          <IconSearch size={17} aria-hidden />
        </button>
      </div>
      <div className="command-panel" hidden={!panel}>
        {last && <ReceiptLine />}
        {focused && text.trim() !== "" && (
          <>
            {calling ? <CallChips command={command} call={call} look={look} /> : <Chips command={command} look={look} picks={picks} />}
            {!question && command.pieces.length <= 1 && command.verb && <p className="command-hint">{t("command.like", { example: t(`command.example.${command.verb}`) })}</p>}
          </>
        )}
        <ul id={`${id}-list`} role="listbox" aria-label={question?.title ?? t("command.choices")} className="command-list" hidden={!open} data-armed={armed || undefined}>
          {open && <li role="presentation" className="command-list-title">{question.title} <small>{t(armed ? "command.digits" : "command.altDigits")}</small></li>}
          {open &&
            question.options.map((option, at) => (
              <li key={option.key} id={`${id}-${at}`} role="option" aria-selected={at === mark} onMouseDown={(event) => event.preventDefault()} onClick={() => choose(at)}>
                <kbd>{at + 1}</kbd>
                <strong>{option.label}</strong>
                {option.aside}
              </li>
            ))}
        </ul>
        <p id={`${id}-why`} className="command-why" role="status" aria-live="polite">
          {why}
        </p>
        {focused && text.trim() !== "" && command.verb && (
          <div className="command-buttons">
            <button type="button" className="command-go" aria-disabled={inert || busy} onMouseDown={(event) => event.preventDefault()} onClick={() => void run(false)}>
              {t(calling ? "form.create" : "command.do")} <kbd>{"↵"}</kbd>
            </button>
            {calling && maySend && (
              <button type="button" className="command-go command-go-main" aria-disabled={inert || busy} onMouseDown={(event) => event.preventDefault()} onClick={() => void run(true)}>
                {t("command.createAndSend")} <kbd>{"Ctrl ↵"}</kbd>
              </button>
            )}
          </div>
        )}
      </div>
    </div>
  );
}

const pointOf = ({ value }: Piece): [number, number] | null => {
  const [lon, lat] = (value ?? "").split(",").map(Number);
  return lon === undefined || lat === undefined || Number.isNaN(lon) || Number.isNaN(lat) ? null : [lon, lat];
};

const place = (at: [number, number]): void => {
  setPlace(at);
  stage.map?.goTo(at);
};

/** What may be taken of a look-up without asking; a point that somebody set by hand stays. */
function takeSure({ sure, options, reading }: LookUp): void {
  const held = intake.getState();
  const [best] = options;
  if (sure && best && (held.at === null || held.match !== null)) takePlace(best, reading?.place);
}

function takePlace(option: Option, words: string | undefined): void {
  const at: [number, number] = [option.location.coordinates[0], option.location.coordinates[1]];
  write({ at, match: kept(option), ...(words === undefined ? {} : { place: words }) });
  place(at);
}

function usePlaceTaken(isNew: boolean, look: LookUp): void {
  const done = useRef("");
  useEffect(() => {
    if (!isNew) done.current = "";
    if (!isNew || look.state !== "told" || done.current === look.said) return;
    done.current = look.said;
    takeSure(look);
  }, [isNew, look]);
}

const blank = (call: Intake): boolean => call.type === null && call.place === "" && call.note === "" && call.at === null && call.phone === "";

/** The line writes the draft of the call: what changed in the line, and nothing that another hand has written since. */
function useCall(command: Command, look: LookUp, point: [number, number] | null, text: string, ready: boolean): void {
  const before = useRef<Said | null>(null);
  const isNew = command.verb === "new";
  useEffect(() => {
    if (!ready) return; // before the types are known nothing is any of them
    if (!isNew && !(text === "" && before.current)) {
      before.current = NOTHING;
      return;
    }
    const held = intake.getState();
    const now = isNew ? saidBy(command, look) : NOTHING;
    const was = before.current ?? (blank(held) ? NOTHING : now);
    before.current = now;
    const next: Partial<Intake> = {};
    const moved = <K extends keyof Said>(name: K) => {
      if (JSON.stringify(now[name]) === JSON.stringify(was[name])) return;
      const gone = JSON.stringify(now[name]) === JSON.stringify(NOTHING[name]);
      // Taken out of the line, it leaves the draft only if it is still what the line had said.
      if (!gone || JSON.stringify(held[name]) === JSON.stringify(was[name])) next[name] = now[name] as Intake[K];
    };
    (Object.keys(NOTHING) as (keyof Said)[]).forEach(moved);
    if (next.place !== undefined && next.place !== held.place && held.match) Object.assign(next, { at: null, match: null });
    if (point && next.place !== undefined) Object.assign(next, { at: point, match: null });
    if (Object.keys(next).length === 0) return;
    write(next);
    if (next.at) place(next.at);
    else if (next.at === null) setPlace(null);
  }, [command, look, point, text, isNew, ready]);
  useClearedCall(before);
}

/** Sent or emptied elsewhere, the call is no longer this line's. */
function useClearedCall(before: { current: Said | null }): void {
  useEffect(
    () =>
      intake.subscribe((now, was) => {
        if (now.reportId !== was.reportId && blank(now)) before.current = NOTHING;
      }),
    [before],
  );
}

function saidBy(command: Command, look: LookUp): Said {
  const where = pieceOf(command, "place")?.text ?? "";
  const reading = look.state === "told" && look.said === where ? look.reading : null;
  const level = pieceOf(command, "priority")?.value;
  return {
    type: pieceOf(command, "type")?.value ?? null,
    place: reading?.place ?? where,
    note: [reading?.over ?? "", noteOf(command)].filter(Boolean).join(", "),
    priority: level ? (Number(level) as Level) : null,
    phone: pieceOf(command, "phone")?.value ?? "",
    units: [...new Set(piecesOf(command, "unit").flatMap(({ value }) => (value ? [value] : [])))],
  };
}

/** The first thing that may mean several, with what it may mean. */
function useQuestion(
  command: Command, look: LookUp, call: Intake, text: string, vocabulary: Vocabulary,
  { pick, edit }: { pick: (kind: Piece["kind"], of: string, value: string) => void; edit: (text: string) => void },
): { title: string; options: Choosable[] } | null {
  const { type: typeOf } = useCatalogue();
  if (text.trim() === "") return null;
  if (command.verb === null) {
    if (!looksNew(text, vocabulary)) return null;
    return { title: t("command.meant"), options: [{ key: "new", label: `n ${text.trim()}`, aside: <small>{t("command.verb.new")}</small>, take: () => edit(`n ${text.trimStart()}`) }] };
  }
  const labelled = (piece: Piece, each: Choice): Choosable => {
    const type = piece.kind === "type" ? typeOf(each.value) : undefined;
    const unit = piece.kind === "unit" ? board.get<Unit>(`unit:${each.value}`) : null;
    return {
      key: each.value,
      label: piece.kind === "status" ? t(`command.heard.${each.value}`) : each.label,
      aside: type ? <PriorityMark level={type.priority} size={20} /> : unit ? <small>{word("kind", unit.kind)} · {word("unit", unit.status)}</small> : null,
      take: () => {
        pick(piece.kind, piece.text, each.value);
        if (command.verb === "new" && piece.kind === "type") write({ type: each.value });
      },
    };
  };
  const blurred = command.pieces.find(({ certainty, kind }) => certainty === "ambiguous" && !(kind === "type" && call.type !== null));
  const piece = pieceOf(command, "place");
  const placeAsked = piece?.certainty === "unknown" && look.state === "told" && look.options.length > 0 && !look.sure && (command.verb === "new" ? call.at === null : command.verb === "go");
  if (blurred && !(placeAsked && blurred.from > piece.from)) {
    return { title: t("command.whichOf", { word: blurred.text }), options: blurred.choices.slice(0, 9).map((each) => labelled(blurred, each)) };
  }
  if (!placeAsked || !piece) return null;
  return {
    title: t("command.whichOf", { word: look.reading?.place ?? piece.text }),
    options: look.options.map((option) => ({
      key: `${option.label}:${option.location.coordinates.join()}`,
      label: option.label,
      aside: (
        <>
          {option.zone && !option.label.includes(option.zone) && <small>{option.zone}</small>}
          <small className={`precise precise-${option.precision}`}>{word("precision", option.precision)}</small>
        </>
      ),
      take: () => (command.verb === "new" ? takePlace(option, look.reading?.place) : pick("place", piece.text, option.label)),
    })),
  };
}

function Chip({ tone, icon, label, children }: { tone: "solid" | "ambiguous" | "unknown"; icon?: ReactNode; label: string; children: ReactNode }) {
  return (
    <li className={`command-chip command-chip-${tone}`} title={`${label}: ${t(`command.tone.${tone}`)}`}>
      {icon}
      <span className="command-say">{label}: </span>
      {children}
      {tone === "ambiguous" && <em aria-label={t("command.tone.ambiguous")}>{"?"}</em>}
    </li>
  );
}

/** What the call is so far, whichever hand wrote it. */
function CallChips({ command, call, look }: { command: Command; call: Intake; look: LookUp }) {
  const { type: typeOf } = useCatalogue();
  const type = typeOf(call.type);
  const Icon = typeIcon(type?.icon);
  const typed = pieceOf(command, "type");
  const { level } = useWeighed(call).weighed;
  const where = call.match?.label ?? call.place;
  const stray = command.pieces.filter(({ kind, certainty }) => certainty !== "solid" && (kind === "priority" || kind === "unit"));
  return (
    <ul className="command-chips" aria-label={t("command.chips")}>
      {type ? (
        <Chip tone="solid" icon={<Icon size={17} aria-hidden />} label={t("form.type")}>
          <b>{type.name}</b>
        </Chip>
      ) : (
        <Chip tone={typed ? "ambiguous" : "unknown"} label={t("form.type")}>
          {typed?.text ?? t("command.noType")}
        </Chip>
      )}
      {level && (
        <Chip tone="solid" label={t("form.priority")}>
          <PriorityMark level={level} size={20} />
        </Chip>
      )}
      <Chip tone={call.at ? "solid" : look.options.length > 0 ? "ambiguous" : "unknown"} icon={<IconMapPin size={17} aria-hidden />} label={t("form.place")}>
        {where === "" && !call.at ? t("command.noPlace") : <b>{where === "" ? t("command.byHand") : where}</b>}
        {call.match ? (
          <small className={`precise precise-${call.match.precision}`}>{word("precision", call.match.precision)}</small>
        ) : (
          <small>{call.at ? t("command.byHand") : look.state === "asking" ? t("command.looking") : look.state === "failed" ? t("command.notLooked") : look.state === "told" && look.options.length === 0 ? t("command.notFound") : ""}</small>
        )}
      </Chip>
      {call.note !== "" && (
        <Chip tone="solid" icon={<IconNote size={17} aria-hidden />} label={t("form.summary")}>
          {call.note}
        </Chip>
      )}
      {call.units.map((unit) => (
        <Chip key={unit} tone="solid" label={t("command.unit")}>
          <b>{board.get<Unit>(`unit:${unit}`)?.call_sign ?? "?"}</b>
        </Chip>
      ))}
      {call.phone !== "" && (
        <Chip tone="solid" icon={<IconPhone size={17} aria-hidden />} label={t("command.phone")}>
          {call.phone}
        </Chip>
      )}
      {stray.map((each) => (
        <Chip key={each.from} tone={each.certainty} label={t(each.kind === "unit" ? "command.unit" : "form.priority")}>
          {each.text}
        </Chip>
      ))}
    </ul>
  );
}

function Chips({ command, look, picks }: { command: Command; look: LookUp; picks: Record<string, string> }) {
  const { dispositions } = useCatalogue();
  const shown = command.pieces.filter(({ kind }) => kind !== "glue");
  const tone = (each: Piece) => (each.kind === "place" && each.certainty === "unknown" ? (look.sure || picks[pickKey("place", each.text)] ? "solid" : look.options.length > 0 ? "ambiguous" : "unknown") : each.certainty);
  const words = (each: Piece): string => {
    if (each.kind === "verb" && command.verb) return t(`command.verb.${command.verb}`);
    if (each.kind === "unit") return board.get<Unit>(`unit:${each.value}`)?.call_sign ?? each.text;
    if (each.kind === "status" && each.value) return t(`command.heard.${each.value}`);
    if (each.kind === "result" && each.value) return dispositions.find(({ code }) => code === each.value)?.name ?? each.text;
    if (each.kind === "incident" && each.value) return board.get<Incident>(`incident:${each.value}`)?.code ?? each.text;
    if (each.kind === "place") return (look.sure && look.options[0]?.label) || picks[pickKey("place", each.text)] || each.text;
    return each.text;
  };
  return (
    <ul className="command-chips" aria-label={t("command.chips")}>
      {shown.map((each) => (
        <Chip key={each.from} tone={tone(each)} icon={each.kind === "text" ? <IconRadio size={17} aria-hidden /> : each.kind === "place" ? <IconMapPin size={17} aria-hidden /> : undefined} label={t(`command.kind.${each.kind}`)}>
          {each.kind === "priority" && each.value ? <PriorityMark level={Number(each.value) as Level} size={20} /> : <span className={each.kind === "verb" ? "command-verb" : undefined}>{words(each)}</span>}
        </Chip>
      ))}
    </ul>
  );
}

/** "Enviando… → Enviado 14:02:11 → Acusado": as it is, never as it will be. */
function ReceiptLine() {
  useBoard();
  const last = useStore(receipt, (state) => state.last);
  if (!last) return null;
  const incident = last.incident ? board.get<Incident>(`incident:${last.incident.id}`) : null;
  return (
    <div className={`command-receipt command-receipt-${last.state}`} role="status">
      {last.state === "sending" ? <IconHourglass size={17} aria-hidden /> : last.state === "sent" ? <IconCheck size={17} aria-hidden /> : <IconX size={17} aria-hidden />}
      <b>{last.incident?.code ?? ""}</b>
      <span>{last.state === "sending" ? t("command.sending") : last.state === "sent" ? t("command.sentAt", { hour: hourSeconds(last.at ?? 0) }) : (last.why ?? "")}</span>
      {last.state === "sent" &&
        incident?.assignments.map(({ id, call_sign, status, acknowledge_by, since }) => (
          <span key={id} className="command-ack">
            <b>{call_sign}</b> {status === "assigned" || acknowledge_by !== null ? t("command.unheard") : status === "acknowledged" ? t("command.heardAt", { hour: hourSeconds(since) }) : word("assignment.status", status)}
          </span>
        ))}
      <button type="button" aria-label={t("command.closeReceipt")} title={t("command.closeReceipt")} onClick={() => tell(null)}>
        <IconX size={15} aria-hidden />
      </button>
    </div>
  );
}

