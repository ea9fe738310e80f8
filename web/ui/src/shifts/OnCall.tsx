import { Button, NumberInput, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconPhone } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { putOnCall, takeOffCall } from "../lib/verbs";
import "./shifts.css";
import { dayOf, shortDayName, useOnCall, useStaff } from "./useStaff";

const moment = (at: string): string => `${shortDayName(dayOf(at))} ${hour(at)}`;

/** Which authority is woken, in which order; a time without anybody is named. */
export function OnCall() {
  const { data } = useOnCall();
  const may = useMay("shift.manage");
  const { busy, failure, act } = useAct();
  if (!data) return <p className="shifts-note">{t("page.loading")}</p>;
  const off = (duty: string) =>
    act(async () => {
      await takeOffCall(duty);
      say(t("shifts.call.takenOff"));
    });
  return (
    <div className="on-call shifts-scroll">
      <section aria-label={t("shifts.call.now")}>
        <h2>{t("shifts.call.now")}</h2>
        <ol className="call-order">
          {data.order.map((one) => (
            <li key={one.staff_id}>
              <b>{one.rank}</b>
              <span>
                <strong>{one.name}</strong>
                <small>{one.title}</small>
              </span>
              {one.phone ? (
                <a href={`tel:${one.phone.replace(/[^+\d]/g, "")}`}>
                  <IconPhone size={16} aria-hidden /> {one.phone}
                </a>
              ) : (
                <span>{t("shifts.call.noPhone")}</span>
              )}
            </li>
          ))}
        </ol>
        {data.order.length === 0 && <p className="call-gap"><IconAlertTriangle size={16} aria-hidden /> {t("shifts.call.nobodyNow")}</p>}
      </section>
      <section aria-label={t("shifts.call.rota")}>
        <h2>{t("shifts.call.rota")}</h2>
        {data.gaps.map((gap) => (
          <p key={gap.start} className="call-gap">
            <IconAlertTriangle size={16} aria-hidden /> {t("shifts.call.gap", { from: moment(gap.start), to: moment(gap.end) })}
          </p>
        ))}
        <table className="book">
          <thead>
            <tr>
              <th>{t("shifts.call.rank")}</th>
              <th>{t("shifts.staff.name")}</th>
              <th>{t("shifts.call.title")}</th>
              <th>{t("shifts.call.from")}</th>
              <th>{t("shifts.call.to")}</th>
              {may && <th />}
            </tr>
          </thead>
          <tbody>
            {data.rota.map((duty) => (
              <tr key={duty.id}>
                <td>{duty.rank}</td>
                <td>{duty.name}</td>
                <td>{duty.title}</td>
                <td>{moment(duty.starts_at)}</td>
                <td>{moment(duty.ends_at)}</td>
                {may && (
                  <td>
                    <Button size="compact-xs" variant="default" disabled={busy} onClick={() => void off(duty.id)} aria-label={t("shifts.call.takeOffWho", { name: duty.name })}>
                      {t("shifts.call.takeOff")}
                    </Button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
        {failure && <p className="form-failure" role="alert">{failure}</p>}
        {may && <PutOnCall />}
      </section>
    </div>
  );
}

function PutOnCall() {
  const { data: members } = useStaff();
  const [member, setMember] = useState<string | null>(null);
  const [title, setTitle] = useState("");
  const [rank, setRank] = useState<number | string>(1);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const { busy, failure, act } = useAct();
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!member || !from || !to) return;
    const done = await act(() => putOnCall({ id: newId(), member_id: member, title, rank: Number(rank), starts_at: new Date(from).toISOString(), ends_at: new Date(to).toISOString() }));
    if (!done) return;
    say(t("shifts.call.put"));
    setMember(null);
  }
  return (
    <form className="sheet-form" onSubmit={(event) => void submit(event)}>
      <h3>{t("shifts.call.new")}</h3>
      <div className="sheet-row">
        <Select required size="xs" searchable label={t("shifts.staff.name")} nothingFoundMessage={t("shifts.nobody")} data={(members ?? []).filter(({ status }) => status === "active").map(({ id, name }) => ({ value: id, label: name }))} value={member} onChange={setMember} />
        <TextInput required size="xs" label={t("shifts.call.title")} value={title} maxLength={200} onChange={(event) => setTitle(event.currentTarget.value)} />
        <NumberInput required size="xs" label={t("shifts.call.rank")} min={1} max={20} value={rank} onChange={setRank} />
      </div>
      <div className="sheet-row">
        <TextInput required size="xs" type="datetime-local" label={t("shifts.call.from")} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        <TextInput required size="xs" type="datetime-local" label={t("shifts.call.to")} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        <Button size="xs" type="submit" loading={busy} disabled={!member}>
          {t("shifts.call.add")}
        </Button>
      </div>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </form>
  );
}
