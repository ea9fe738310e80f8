import "./replay.css";
import { Button, Menu, Popover, Select, TextInput, Tooltip, VisuallyHidden } from "@mantine/core";
import {
  IconAlertOctagon, IconAlertTriangle, IconArrowBackUp, IconChevronLeft, IconChevronRight, IconFlag, IconHistory, IconPlayerPauseFilled, IconPlayerPlayFilled, IconPlayerSkipBack, IconPlayerSkipForward, IconRewindBackward60, IconRewindForward60,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { clock } from "../lib/clock";
import { ago, hour, hourSeconds, longDate, running } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, present, useBoard, usePresent, usePresentSecond, useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { PACES, STEP, type Mark, type Pace, type Player } from "../lib/replay";
import { useGranted, useSession } from "../lib/session";
import { isUnheard, unheardSince } from "../lib/sounds";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { onDuty } from "../lib/verbs";
import { dayOf, startOf } from "../resources/replay";
import { select, useDesk } from "./desk";
import { HOUR, lookBack, MINUTE, nextChange, pace, replay, shift, toPresent, usePlayer, useReplay } from "./replay";

const LAST_HOURS = 8; // of whoever has not clocked in

/** `G P`: choose a past hour. */
export function ReplayButton() {
  const may = useGranted("past.look");
  const past = useInPast();
  const choosing = useReplay((state) => state.choosing);
  const toggle = () => replay.setState(({ choosing }) => ({ choosing: !choosing, failure: null }));
  const close = () => replay.setState({ choosing: false });
  useKey("g p", toggle, may);
  useKey("escape", close, choosing);
  if (!may) return null;
  return (
    <Popover opened={choosing} onDismiss={close} position="bottom-end" width={340} trapFocus returnFocus closeOnEscape={false} shadow="md" transitionProps={{ duration: 0 }}>
      <Popover.Target>
        <Tooltip label={`${t("replay.open")} (G P)`} disabled={choosing}>
          <button type="button" className="replay-open" aria-label={t("replay.open")} aria-keyshortcuts="G P" aria-pressed={past} onClick={toggle}>
            <IconHistory size={18} aria-hidden />
          </button>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown className="replay-drop" aria-label={t("replay.choose")}>
        <Choose />
      </Popover.Dropdown>
    </Popover>
  );
}

/** Which hour: the last one, one's shift, or a day and an hour. */
function Choose() {
  const { person } = useSession();
  const { opening, failure } = useReplay((state) => state);
  const now = usePresentSecond();
  const [day, setDay] = useState(() => dayOf(clock.now()));
  const [time, setTime] = useState(() => hour(clock.now() - HOUR));
  const { data } = useQuery({ queryKey: ["duty", "own", person.id], queryFn: onDuty, retry: false, staleTime: 60_000 });
  const since = [...(data?.units ?? []), ...(data?.places ?? [])].flatMap(({ people }) => people).find(({ name }) => name === person.name)?.since;
  const begins = Math.max(since ? Date.parse(since) : 0, now - 24 * HOUR + MINUTE);
  const [hours, minutes] = time.split(":").map(Number);
  const chosen = startOf(day) + ((hours ?? NaN) * 60 + (minutes ?? NaN)) * MINUTE;
  const go = (from: number, to: number) => void lookBack(from, to);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!Number.isNaN(chosen)) go(chosen, chosen + HOUR);
  };
  return (
    <form className="replay-choose" onSubmit={submit}>
      <h2>{t("replay.choose")}</h2>
      <div className="replay-presets">
        <Button size="sm" variant="default" loading={opening} data-autofocus onClick={() => go(now - HOUR, now)}>
          {t("replay.lastHour")}
        </Button>
        <Button size="sm" variant="default" loading={opening} onClick={() => (since ? go(begins, now) : go(now - LAST_HOURS * HOUR, now))}>
          {since ? t("replay.myShift", { hour: hour(begins) }) : t("replay.lastHours", { n: LAST_HOURS })}
        </Button>
      </div>
      <div className="replay-when">
        <TextInput type="date" label={t("replay.day")} value={day} max={dayOf(now)} required withAsterisk={false} onChange={(event) => setDay(event.currentTarget.value)} />
        <TextInput type="time" label={t("replay.hour")} value={time} required withAsterisk={false} onChange={(event) => setTime(event.currentTarget.value)} />
        <Button type="submit" size="sm" loading={opening} disabled={Number.isNaN(chosen)}>
          {t("replay.see")}
        </Button>
      </div>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <p className="hint">{t("replay.recorded")}</p>
    </form>
  );
}

/** While a past hour is on the screen: over its whole width, which one, the ways through it, and what waits in the present. */
export function ReplayBar() {
  const player = useReplay((state) => state.player);
  return (
    <>
      <VisuallyHidden role="status">{player && t("replay.began", { at: `${longDate(player.from)} ${hour(player.from)}` })}</VisuallyHidden>
      {player && <Band key={player.from} player={player} />}
    </>
  );
}

function Band({ player }: { player: Player }) {
  const at = useSecond();
  const now = usePresentSecond();
  const { playing, waiting, failed, places, pace: speed } = usePlayer(player, (state) => state);
  const opening = useReplay((state) => state.opening);
  const failure = useReplay((state) => (state.choosing ? null : state.failure));
  const free = useDesk(({ help, sheet, form, list }) => !help && sheet === null && form === null && !list);
  const play = () => (playing ? player.pause() : player.play());
  const by = (milliseconds: number) => player.seek(player.state.at + milliseconds);
  useKey("escape", () => toPresent(), free);
  useKey("f", play);
  useKey(",", () => by(-STEP));
  useKey(".", () => by(STEP));
  useKey("shift+h", () => player.previousEvent());
  useKey("h", () => void nextChange());
  useKey("-", () => pace(-1, PACES));
  useKey("+", () => pace(1, PACES));
  return (
    <section className="replay-band" aria-label={t("replay.title")}>
      <div className="replay-said">
        <IconHistory size={22} aria-hidden />
        <strong className="replay-past">{t("replay.past")}</strong>
        <span className="replay-at">
          <span>{longDate(at)}</span> <time dateTime={new Date(at).toISOString()}>{hourSeconds(at)}</time>
        </span>
        <span className="replay-ago">{ago(at, now)}</span>
        {places === "none" && <span className="replay-note">{t("replay.noTracks")}</span>}
        {(waiting || opening || places === "asked") && <span className="replay-note">{t("replay.reading")}</span>}
        {failed && (
          <span className="replay-note" role="alert">
            {t("replay.failed")}{" "}
            <button type="button" className="replay-tool" onClick={() => void player.retry()}>
              {t("action.retry")}
            </button>
          </span>
        )}
        {failure && (
          <span className="replay-note" role="alert">
            {failure}
          </span>
        )}
        <button type="button" className="replay-back" onClick={() => toPresent()}>
          <IconArrowBackUp size={18} aria-hidden /> {t("replay.toPresent")} <kbd>{"Esc"}</kbd>
        </button>
      </div>
      <div className="replay-tools" role="group" aria-label={t("replay.tools")}>
        <Tool name="hourBefore" icon={<IconChevronLeft size={18} aria-hidden />} disabled={opening} act={() => shift(-1)} />
        <Tool name="previous" stroke="⇧H" icon={<IconPlayerSkipBack size={18} aria-hidden />} act={() => player.previousEvent()} />
        <Tool name="minuteBack" stroke="," icon={<IconRewindBackward60 size={20} aria-hidden />} act={() => by(-STEP)} />
        <Tool name={playing ? "pause" : "play"} stroke="F" strong icon={playing ? <IconPlayerPauseFilled size={18} aria-hidden /> : <IconPlayerPlayFilled size={18} aria-hidden />} act={play} />
        <Tool name="minuteOn" stroke="." icon={<IconRewindForward60 size={20} aria-hidden />} act={() => by(STEP)} />
        <Tool name="next" stroke="H" icon={<IconPlayerSkipForward size={18} aria-hidden />} act={() => void nextChange()} />
        <Tool name="hourAfter" icon={<IconChevronRight size={18} aria-hidden />} disabled={opening || player.to >= now - 1_000} act={() => shift(1)} />
        <Speed speed={speed} onSpeed={(next) => player.setPace(next)} />
        <Scrub player={player} />
        <Marks player={player} />
      </div>
      <Lesser />
      <Now />
    </section>
  );
}

function Speed({ speed, onSpeed }: { speed: Pace; onSpeed: (speed: Pace) => void }) {
  const [open, setOpen] = useState(false);
  return (
    <Select
      className="replay-pace"
      size="xs"
      aria-label={t("replay.pace")}
      aria-keyshortcuts="- +"
      allowDeselect={false}
      value={String(speed)}
      onDropdownOpen={() => setOpen(true)}
      onDropdownClose={() => setOpen(false)}
      onKeyDown={(event) => event.key === "Escape" && open && event.stopPropagation()} // it closes the list, and not the past
      onChange={(value) => onSpeed(Number(value) as Pace)}
      data={PACES.map((each) => ({ value: String(each), label: paceName(each) }))}
    />
  );
}

const paceName = (each: Pace): string => `${each === 0.25 ? "¼" : each === 0.5 ? "½" : each}×`;

function Tool({ name, stroke, icon, strong = false, disabled = false, act }: { name: string; stroke?: string; icon: ReactNode; strong?: boolean; disabled?: boolean; act: () => void }) {
  return (
    <Tooltip label={[t(`replay.${name}`), stroke && `(${stroke})`].filter(Boolean).join(" ")}>
      <button type="button" className={`replay-tool${strong ? " replay-tool-strong" : ""}`} aria-label={t(`replay.${name}`)} aria-keyshortcuts={stroke?.replace("⇧", "Shift+")} disabled={disabled} onClick={act}>
        {icon}
      </button>
    </Tooltip>
  );
}

/** The hour as a line: where one stands, how far it is read, and what was grave. */
function Scrub({ player }: { player: Player }) {
  const { at, known, marks } = usePlayer(player, (state) => state);
  const { from, to } = player;
  const share = (moment: number) => `${((moment - from) / Math.max(1, to - from)) * 100}%`;
  return (
    <div className="replay-scrub">
      <time>{hour(from)}</time>
      <span className="replay-line">
        <span className="replay-known" style={{ inlineSize: share(known) }} aria-hidden />
        {marks.map((mark) => (
          <span key={mark.subject} className={`replay-mark replay-mark-${mark.kind}`} style={{ insetInlineStart: share(mark.at) }} title={markName(mark)} aria-hidden />
        ))}
        <input type="range" min={from} max={to} step={1_000} value={at} aria-label={t("replay.moment")} aria-valuetext={`${longDate(at)} ${hourSeconds(at)}`} onChange={(event) => player.seek(Number(event.currentTarget.value))} />
      </span>
      <time>{hour(to)}</time>
    </div>
  );
}

const markName = ({ at, kind, name }: Mark): string => [hour(at), t(`replay.marks.${kind}`), name].filter(Boolean).join(" · ");

/** The same marks as a list, for whoever does not aim at a line. */
function Marks({ player }: { player: Player }) {
  const marks = usePlayer(player, (state) => state.marks);
  const [open, setOpen] = useState(false);
  useKey("escape", () => setOpen(false), open);
  return (
    <Menu position="bottom-end" withinPortal opened={open} onChange={setOpen} closeOnEscape={false}>
      <Menu.Target>
        <button type="button" className="replay-tool" disabled={marks.length === 0}>
          <IconFlag size={16} aria-hidden /> {t("replay.marked", { count: marks.length })}
        </button>
      </Menu.Target>
      <Menu.Dropdown className="replay-marks">
        {marks.map((mark) => (
          <Menu.Item key={mark.subject} onClick={() => player.seek(mark.at)}>
            {markName(mark)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What the strips said then, which nobody answers any more; and how much of the lesser waits now. */
function Lesser() {
  useBoard();
  usePresent();
  const alarms = board.alarms().filter(({ state }) => state === "raised").length;
  const storm = board.storm();
  const then = [storm && t("storm.since", { hour: hour(storm.began_at) }), ...board.majors().map(({ name }) => t("majors.chip", { name })), alarms > 0 && t("replay.alarms", { count: alarms })].filter(Boolean);
  const dangers = board.sos();
  const waiting = present.alarms().filter(({ state }) => state === "raised").length;
  const reports = present.reports().filter(({ status }) => status === "received").length;
  const now = [waiting > 0 && t("replay.alarms", { count: waiting }), reports > 0 && t("replay.reports", { count: reports })].filter(Boolean);
  if (then.length + dangers.length + now.length === 0) return null;
  return (
    <div className="replay-lesser">
      {then.length + dangers.length > 0 && (
        <p>
          {t("replay.then")}{" "}
          {dangers.map((sos) => (
            <button key={sos.id} type="button" className="replay-tool" onClick={() => select(`incident:${sos.incident_id}`)}>
              {t("sos.of", { unit: sos.call_sign })}
            </button>
          ))}{" "}
          {then.join(" · ")}
        </p>
      )}
      {now.length > 0 && (
        <p role="status">
          {t("replay.now")} {now.join(" · ")}
        </p>
      )}
    </div>
  );
}

/** What cannot wait, while somebody looks at the past: it sounds as ever, and one press leads to it. */
function Now() {
  usePresent();
  const now = usePresentSecond();
  const dangers = present.sos().filter(({ answered_at }) => answered_at === null);
  const told = new Set(dangers.map(({ incident_id }) => incident_id));
  const grave = present.incidents().filter((incident) => isUnheard(incident) && !told.has(incident.id)).sort((a, b) => unheardSince(a) - unheardSince(b));
  return (
    <div role="alert">
      <ul className="replay-now">
        {dangers.map((sos) => (
          <li key={sos.id}>
            <IconAlertOctagon size={22} aria-hidden />
            <strong>{t("replay.nowSos", { unit: sos.call_sign })}</strong>
            <Since from={sos.raised_at} now={now} />
            <button type="button" onClick={() => toPresent(`incident:${sos.incident_id}`)}>
              {t("replay.seeNow")}
            </button>
          </li>
        ))}
        {grave.map((incident) => (
          <li key={incident.id}>
            <PriorityMark level={1} size={22} />
            <strong>{t("replay.nowP1", { what: incident.type_name, place: incident.place ?? incident.code })}</strong>
            <Since from={unheardSince(incident)} now={now} />
            <button type="button" onClick={() => toPresent(incident.subject)}>
              {t("replay.seeNow")}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** For the eye: a voice that counts says nothing new. */
const Since = ({ from, now }: { from: string | number; now: number }) => <span aria-hidden>{running(now - new Date(from).getTime())}</span>;

/** In the place of an act, while the screen shows the past: the act, that it rests, and why. */
export function PastActs({ acts }: { acts: string[] }) {
  const why = useId();
  return (
    <div className="past-acts">
      <div className="card-actions">
        {acts.map((act) => (
          <Button key={act} size="sm" variant="default" disabled title={t("replay.refused")} aria-describedby={why}>
            {act}
          </Button>
        ))}
      </div>
      <PastReason id={why} />
    </div>
  );
}

export function PastReason({ id, words = t("replay.reason") }: { id?: string; words?: string }) {
  return (
    <p id={id} className="past-reason">
      <IconAlertTriangle size={15} aria-hidden /> {words}{" "}
      <button type="button" className="link-button" onClick={() => toPresent()}>
        {t("replay.toPresent")}
      </button>
    </p>
  );
}

/** Over the map: of when it is, and where units are not known. */
export function PastWatermark() {
  const at = useSecond();
  const player = useReplay((state) => state.player);
  const none = player?.state.places === "none";
  return (
    <p className="past-watermark">
      <strong>{t("replay.past")}</strong> <span>{longDate(at)} · {hourSeconds(at)}</span>
      {none && <small>{t("replay.noTracks")}</small>}
    </p>
  );
}
