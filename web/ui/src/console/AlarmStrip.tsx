import "./alarms.css";
import { Button, Menu, SegmentedControl, TextInput } from "@mantine/core";
import { IconBatteryExclamation, IconBellRinging, IconClockExclamation, IconClockPause, IconHandStop, IconHeartbeat, IconMapPinOff, IconPhone, IconPlayerPause, IconSos, IconUserQuestion, IconVolumeOff, type Icon } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { alarmGroups, alarmWords, isGrave } from "../lib/alarms";
import type { Placed } from "../lib/board";
import { useDraftLine } from "../lib/drafts";
import { age, hour, placeLine, running } from "../lib/format";
import { t } from "../lib/i18n";
import { keyOf, useKey } from "../lib/keys";
import { board, useBoard, useSecond } from "../lib/live";
import { useSound } from "../lib/player";
import { hear } from "../lib/seat";
import { useMay } from "../lib/session";
import { isUnheard, mustPhone, unheardSince } from "../lib/sounds";
import { say, sayFailed } from "../lib/toasts";
import { answerAlarm, shelveAlarm, whomToCall } from "../lib/verbs";
import type { Alarm, AlarmKind, Incident } from "../lib/wire";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { select, useDesk } from "./desk";
import { useAct } from "./useAct";

const ICONS: Record<AlarmKind, Icon> = {
  sos_unanswered: IconSos, unattended: IconUserQuestion, unacknowledged: IconBellRinging, stuck: IconClockPause, not_moving: IconHandStop,
  past_promised: IconClockExclamation, check_in_due: IconHeartbeat, position_lost: IconMapPinOff, battery_low: IconBatteryExclamation,
};
const MINUTES = [5, 15, 60] as const;
/** So many sounds in ten minutes are said on a line of their own. */
const WORTH_SAYING = 3;

/** What is being put aside, and for how long. */
interface Shelving {
  id: string;
  minutes: number;
}
type Shelve = (next: Shelving | null) => void;

/**
 * What somebody must look at now: one line each, the gravest first. A P1 that nobody noticed stands over all and cannot be put away but by
 * noticing it or sending somebody. Many alike stand behind one line; a P1 or an SOS never does.
 */
export function AlarmStrip() {
  useBoard();
  const now = useSecond();
  const may = useMay("alarm.answer");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [shelving, setShelving] = useState<Shelving | null>(null);
  const free = useDesk((state) => state.selected === null && state.form === null);
  const flood = useSound((state) => state.flood);
  const lately = useSound((state) => state.lately);
  const unheard = board.incidents().filter(isUnheard).sort((a, b) => unheardSince(a) - unheardSince(b));
  const { alone, grouped, answered, shelved } = alarmGroups(board.alarms());
  const first = alone[0] ?? grouped[0]?.[1][0];
  const ack = () => (unheard[0] ? notice(unheard[0]) : first && answer(first));
  useKey(["a", "alt+a"], ack, may && (unheard.length > 0 || first !== undefined));
  useKey(
    "s",
    () => {
      if (!first) return;
      if (!alone.includes(first)) setOpen((held) => new Set([...held, first.kind]));
      setShelving({ id: first.id, minutes: 15 });
    },
    may && first !== undefined,
  );
  if (unheard.length === 0 && !first && answered.length === 0 && shelved.length === 0 && !flood) return null;
  const toggle = (name: string) => setOpen((held) => (held.has(name) ? new Set([...held].filter((each) => each !== name)) : new Set([...held, name])));
  const quiet = [["answered", answered], ["shelved", shelved]] as const;
  // A card may have a use of its own for the letter; with Alt it is always this.
  const stroke = free ? keyOf("A") : "Alt A";
  const keyed = unheard.length > 0 ? undefined : first;
  return (
    <section className="alarm-strip" aria-label={t("alarms.title")}>
      <ul aria-live="assertive" aria-relevant="additions">
        {unheard.map((incident, index) => (
          <NewLine key={incident.id} incident={incident} now={now} stroke={index === 0 ? stroke : undefined} />
        ))}
        {alone.map((alarm) => (
          <AlarmLine key={alarm.id} alarm={alarm} now={now} stroke={alarm === keyed ? stroke : undefined} shelving={shelving} onShelve={setShelving} />
        ))}
      </ul>
      {grouped.map(([kind, alarms]) => (
        <Folded key={kind} name={t(`alarms.kinds.${kind}`)} alarms={alarms} now={now} open={open.has(kind)} onToggle={() => toggle(kind)} keyed={keyed} stroke={stroke} shelving={shelving} onShelve={setShelving} />
      ))}
      {(answered.length > 0 || shelved.length > 0 || lately >= WORTH_SAYING || flood) && (
        <p className="alarm-quiet">
          {quiet.map(
            ([name, alarms]) =>
              alarms.length > 0 && (
                <button key={name} type="button" aria-expanded={open.has(name)} onClick={() => toggle(name)}>
                  {t(`alarms.${name}`, { count: alarms.length })}
                </button>
              ),
          )}
          {(lately > 0 || flood) && <span className={flood ? "alarm-load alarm-load-flood" : "alarm-load"}>{t(flood ? "alarms.flood" : "alarms.lately", { count: lately })}</span>}
        </p>
      )}
      {quiet.map(([name, alarms]) => open.has(name) && <Lines key={name} alarms={alarms} now={now} stroke={stroke} shelving={shelving} onShelve={setShelving} />)}
    </section>
  );
}

const notice = (incident: Incident): void => void hear(incident).then(() => say(t("alarms.said.heard", { code: incident.code })), sayFailed);

/** A P1 that nobody noticed yet: it sounds until somebody does, or is sent. */
function NewLine({ incident, now, stroke }: { incident: Placed<Incident>; now: number; stroke: string | undefined }) {
  const may = useMay("alarm.answer");
  return (
    <li className="alarm-line alarm-line-grave alarm-line-new">
      <PriorityMark level={1} size={20} />
      <button type="button" className="alarm-what" onClick={() => select(incident.subject)}>
        <strong>{t("alarms.newP1", { what: incident.type_name })}</strong>
        <span>{[incident.code, placeLine(incident.place, incident.zone)].filter(Boolean).join(" · ")}</span>
      </button>
      <span className="alarm-who">
        <span className="alarm-age">{running(now - unheardSince(incident))}</span>
      </span>
      {may && (
        <span className="alarm-acts">
          <Button size="compact-sm" variant="default" onClick={() => notice(incident)}>
            {t("alarms.hear")} {stroke && <kbd>{stroke}</kbd>}
          </Button>
        </span>
      )}
    </li>
  );
}

const answer = (alarm: Alarm): void =>
  void answerAlarm(alarm).then(() => say(t("alarms.said.answered", { what: t(`alarms.kinds.${alarm.kind}`) })), sayFailed);

interface Listed {
  alarms: Alarm[];
  now: number;
  keyed?: Alarm | undefined;
  stroke: string;
  shelving: Shelving | null;
  onShelve: Shelve;
}

function Folded({ name, open, onToggle, ...listed }: { name: string; open: boolean; onToggle: () => void } & Listed) {
  const { alarms } = listed;
  const Mark = ICONS[alarms[0]?.kind ?? "stuck"];
  return (
    <>
      <button type="button" className="alarm-line alarm-fold" aria-expanded={open} onClick={onToggle}>
        <Mark size={18} aria-hidden />
        <strong>{t("alarms.group", { name, n: alarms.length })}</strong>
        <span className="alarm-who">{alarms.map(({ call_sign, incident_code }) => call_sign ?? incident_code).join(", ")}</span>
      </button>
      {open && <Lines {...listed} />}
    </>
  );
}

function Lines({ alarms, now, keyed, stroke, shelving, onShelve }: Listed) {
  return (
    <ul className="alarm-inner">
      {alarms.map((alarm) => (
        <AlarmLine key={alarm.id} alarm={alarm} now={now} stroke={alarm === keyed ? stroke : undefined} shelving={shelving} onShelve={onShelve} />
      ))}
    </ul>
  );
}

function AlarmLine({ alarm, now, stroke, shelving, onShelve }: { alarm: Alarm; now: number; stroke: string | undefined; shelving: Shelving | null; onShelve: Shelve }) {
  const may = useMay("alarm.answer");
  const hushed = useSound(({ suppressed }) => suppressed.has(alarm.subject));
  const Mark = ICONS[alarm.kind];
  const subject = alarm.incident_id ? `incident:${alarm.incident_id}` : alarm.unit_id ? `unit:${alarm.unit_id}` : null;
  const incident = alarm.incident_id ? board.get<Incident>(`incident:${alarm.incident_id}`) : null;
  const where = incident && !incident.masked ? `${incident.type_name}, ${placeLine(incident.place, incident.zone)}` : "";
  const tone = alarm.state !== "raised" ? "alarm-line-quiet" : isGrave(alarm) ? "alarm-line-grave" : "";
  return (
    <li className={`alarm-line ${tone}`}>
      <Mark size={18} aria-hidden />
      <button type="button" className="alarm-what" disabled={!subject} onClick={() => subject && select(subject)}>
        <strong>{alarmWords(alarm, now)}</strong>
        {alarm.incident_code && <span>{[alarm.incident_code, where].filter(Boolean).join(" · ")}</span>}
      </button>
      {hushed && (
        <span className="alarm-hush" title={t("alarms.hushed")}>
          <IconVolumeOff size={16} aria-label={t("alarms.hushed")} />
        </span>
      )}
      <span className="alarm-who">
        <Who alarm={alarm} now={now} />
      </span>
      {may && alarm.state !== "answered" && (
        <span className="alarm-acts">
          <Button size="compact-sm" variant="default" onClick={() => answer(alarm)}>
            {t("alarms.answer")} {stroke && <kbd>{stroke}</kbd>}
          </Button>
          {alarm.state === "raised" && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="compact-sm" variant="default" leftSection={<IconPlayerPause size={14} />}>
                  {t("alarms.shelve")} {stroke && <kbd>{keyOf("S")}</kbd>}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {MINUTES.map((minutes) => (
                  <Menu.Item key={minutes} onClick={() => onShelve({ id: alarm.id, minutes })}>
                    {t("alarms.for", { n: minutes })}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </span>
      )}
      {shelving?.id === alarm.id && <ShelveForm alarm={alarm} minutes={shelving.minutes} onMinutes={(minutes) => onShelve({ id: alarm.id, minutes })} onDone={() => onShelve(null)} />}
    </li>
  );
}

/** With whom it is, or who has it and until when; on call, the telephone to ring. */
function Who({ alarm, now }: { alarm: Alarm; now: number }) {
  const may = useMay("alarm.answer");
  const called = alarm.state === "raised" && (alarm.step ?? "").startsWith("on_call");
  const { data } = useQuery({ queryKey: ["whom", alarm.id, alarm.step], queryFn: () => whomToCall(alarm.id), enabled: called && may });
  if (alarm.state === "answered") return t("alarms.has", { who: alarm.answered_by ?? "", note: alarm.answer_note ? `: ${alarm.answer_note}` : "" });
  if (alarm.state === "shelved")
    return t("alarms.until", { hour: hour(alarm.shelved_until ?? ""), left: age(Date.parse(alarm.shelved_until ?? "") - now), who: alarm.shelved_by ?? "", why: alarm.shelve_reason ?? "" });
  if (called)
    return (
      <strong className="alarm-call">
        <IconPhone size={14} aria-hidden /> {t("alarms.call", { who: alarm.whom || data?.name || "" })} {data?.phone && <a href={`tel:${data.phone.replace(/[^+\d]/g, "")}`}>{data.phone}</a>}
      </strong>
    );
  if (mustPhone(alarm, now))
    return (
      <strong className="alarm-call">
        <IconPhone size={14} aria-hidden /> {t("alarms.phone", { unit: alarm.call_sign ?? t("timeline.aUnit") })}
      </strong>
    );
  return alarm.step && alarm.step !== "desk" ? t(`alarms.with.${alarm.step}`) : null;
}

function ShelveForm({ alarm, minutes, onMinutes, onDone }: { alarm: Alarm; minutes: number; onMinutes: (minutes: number) => void; onDone: () => void }) {
  const [reason, setReason, discard] = useDraftLine(`shelve:${alarm.id}`);
  const { busy, failure, act } = useAct();
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!reason.trim() || busy) return;
    const done = await act(() => shelveAlarm(alarm, minutes, reason.trim()));
    if (done === null) return;
    discard();
    say(t("alarms.said.shelved", { n: minutes }));
    onDone();
  }
  return (
    <form className="alarm-shelve" onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === "Escape" && (event.stopPropagation(), onDone())}>
      <SegmentedControl size="xs" aria-label={t("alarms.howLong")} value={String(minutes)} onChange={(value) => onMinutes(Number(value))} data={MINUTES.map((each) => ({ value: String(each), label: t("alarms.for", { n: each }) }))} />
      <TextInput size="xs" autoFocus maxLength={200} label={t("alarms.why", { n: minutes })} value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={failure} />
      <Button size="compact-sm" type="submit" loading={busy} disabled={!reason.trim()}>
        {t("alarms.shelve")}
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={onDone}>
        {t("action.cancel")}
      </Button>
    </form>
  );
}
