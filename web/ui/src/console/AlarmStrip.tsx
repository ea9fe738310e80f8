import "./alarms.css";
import { Button, Menu, TextInput } from "@mantine/core";
import { IconBatteryExclamation, IconBellRinging, IconClockExclamation, IconClockPause, IconHandStop, IconHeartbeat, IconMapPinOff, IconPhone, IconPlayerPause, IconSos, IconUserQuestion, type Icon } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { alarmGroups, alarmWords, isGrave } from "../lib/alarms";
import { age, hour, placeLine } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { answerAlarm, shelveAlarm, whomToCall } from "../lib/verbs";
import type { Alarm, AlarmKind, Incident } from "../lib/wire";
import { select } from "./desk";
import { useAct } from "./useAct";

const ICONS: Record<AlarmKind, Icon> = {
  sos_unanswered: IconSos, unattended: IconUserQuestion, unacknowledged: IconBellRinging, stuck: IconClockPause, not_moving: IconHandStop,
  past_promised: IconClockExclamation, check_in_due: IconHeartbeat, position_lost: IconMapPinOff, battery_low: IconBatteryExclamation,
};
const MINUTES = [5, 15, 60] as const;

/** What somebody must look at now: one line each, the gravest first. Many alike stand behind one line; a P1 or an SOS never does. */
export function AlarmStrip() {
  useBoard();
  const now = useSecond();
  const may = useMay("alarm.answer");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const { alone, grouped, answered, shelved } = alarmGroups(board.alarms());
  const first = alone[0] ?? grouped[0]?.[1][0];
  useKey("r", () => first && answer(first), may && first !== undefined);
  if (!first && answered.length === 0 && shelved.length === 0) return null;
  const toggle = (name: string) => setOpen((held) => (held.has(name) ? new Set([...held].filter((each) => each !== name)) : new Set([...held, name])));
  const quiet = [["answered", answered], ["shelved", shelved]] as const;
  return (
    <section className="alarm-strip" aria-label={t("alarms.title")}>
      <ul aria-live="assertive" aria-relevant="additions">
        {alone.map((alarm) => (
          <AlarmLine key={alarm.id} alarm={alarm} now={now} keyed={alarm === first} />
        ))}
      </ul>
      {grouped.map(([kind, alarms]) => (
        <Folded key={kind} name={t(`alarms.kinds.${kind}`)} alarms={alarms} now={now} open={open.has(kind)} onToggle={() => toggle(kind)} keyed={first} />
      ))}
      {(answered.length > 0 || shelved.length > 0) && (
        <p className="alarm-quiet">
          {quiet.map(
            ([name, alarms]) =>
              alarms.length > 0 && (
                <button key={name} type="button" aria-expanded={open.has(name)} onClick={() => toggle(name)}>
                  {t(`alarms.${name}`, { count: alarms.length })}
                </button>
              ),
          )}
        </p>
      )}
      {quiet.map(([name, alarms]) => open.has(name) && <Lines key={name} alarms={alarms} now={now} />)}
    </section>
  );
}

const answer = (alarm: Alarm): void =>
  void answerAlarm(alarm).then(() => say(t("alarms.said.answered", { what: t(`alarms.kinds.${alarm.kind}`) })), sayFailed);

function Folded({ name, alarms, now, open, onToggle, keyed }: { name: string; alarms: Alarm[]; now: number; open: boolean; onToggle: () => void; keyed: Alarm | undefined }) {
  const Mark = ICONS[alarms[0]?.kind ?? "stuck"];
  return (
    <>
      <button type="button" className="alarm-line alarm-fold" aria-expanded={open} onClick={onToggle}>
        <Mark size={18} aria-hidden />
        <strong>{t("alarms.group", { name, n: alarms.length })}</strong>
        <span className="alarm-who">{alarms.map(({ call_sign, incident_code }) => call_sign ?? incident_code).join(", ")}</span>
      </button>
      {open && <Lines alarms={alarms} now={now} keyed={keyed} />}
    </>
  );
}

function Lines({ alarms, now, keyed }: { alarms: Alarm[]; now: number; keyed?: Alarm | undefined }) {
  return (
    <ul className="alarm-inner">
      {alarms.map((alarm) => (
        <AlarmLine key={alarm.id} alarm={alarm} now={now} keyed={alarm === keyed} />
      ))}
    </ul>
  );
}

function AlarmLine({ alarm, now, keyed }: { alarm: Alarm; now: number; keyed: boolean }) {
  const may = useMay("alarm.answer");
  const [shelving, setShelving] = useState<number | null>(null);
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
      <span className="alarm-who">
        <Who alarm={alarm} now={now} />
      </span>
      {may && alarm.state !== "answered" && (
        <span className="alarm-acts">
          <Button size="compact-sm" variant="default" onClick={() => answer(alarm)}>
            {t("alarms.answer")} {keyed && <kbd>{"R"}</kbd>}
          </Button>
          {alarm.state === "raised" && (
            <Menu position="bottom-end">
              <Menu.Target>
                <Button size="compact-sm" variant="default" leftSection={<IconPlayerPause size={14} />}>
                  {t("alarms.shelve")}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {MINUTES.map((minutes) => (
                  <Menu.Item key={minutes} onClick={() => setShelving(minutes)}>
                    {t("alarms.for", { n: minutes })}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </span>
      )}
      {shelving !== null && <Shelve alarm={alarm} minutes={shelving} onDone={() => setShelving(null)} />}
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
  return alarm.step && alarm.step !== "desk" ? t(`alarms.with.${alarm.step}`) : null;
}

function Shelve({ alarm, minutes, onDone }: { alarm: Alarm; minutes: number; onDone: () => void }) {
  const [reason, setReason] = useState("");
  const { busy, failure, act } = useAct();
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!reason.trim() || busy) return;
    const done = await act(() => shelveAlarm(alarm, minutes, reason.trim()));
    if (done === null) return;
    say(t("alarms.said.shelved", { n: minutes }));
    onDone();
  }
  return (
    <form className="alarm-shelve" onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === "Escape" && onDone()}>
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
