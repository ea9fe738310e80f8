import { Button, Drawer, Modal, Select, TextInput, Textarea } from "@mantine/core";
import { IconCertificate, IconDownload, IconFileImport, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useMay, useSession } from "../lib/session";
import { say } from "../lib/toasts";
import { addCredential, addMember, amendMember, hoursSheet, setPin, staffFile, standing, withdrawCredential, workedHours } from "../lib/verbs";
import type { StaffCredential, StaffMember, StaffStatus } from "../lib/wire";
import { ImportStaff } from "./ImportStaff";
import "./shifts.css";
import { dayAfter, dayOf, hoursOf, longDayName, paperName, roleName, useEdition, useRules, useStaff, written } from "./useStaff";

const SOON = 30; // days before a credential ends in which one should be renewing it
const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The city's people: who runs the staff sees their files, the room sees names, roles and whether they are on duty. */
export function Staff() {
  const { data: members, isError } = useStaff();
  const { data: rules } = useRules();
  const manages = useMay("staff.manage");
  const today = dayOf(useSecond());
  const [words, setWords] = useState("");
  const [only, setOnly] = useState<string | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const month = `${today.slice(0, 8)}01`;
  const shown = (members ?? [])
    .filter((one) => plain(`${one.name} ${one.file_number ?? ""} ${roleName(rules, one.role)}`).includes(plain(words)))
    .filter((one) => (only === "duty" ? one.on_duty : only === "papers" ? troubled(one, today) : only === "left" ? one.status !== "active" : true));

  return (
    <div className="staff">
      <div className="shifts-bar">
        <TextInput size="xs" aria-label={t("shifts.filter")} placeholder={t("shifts.filter")} value={words} onChange={(event) => setWords(event.currentTarget.value)} />
        <Select
          size="xs"
          clearable
          aria-label={t("shifts.staff.only")}
          placeholder={t("shifts.staff.everybody")}
          value={only}
          onChange={setOnly}
          data={[{ value: "duty", label: t("shifts.staff.onDuty") }, ...(manages ? [{ value: "papers", label: t("shifts.staff.papers") }, { value: "left", label: t("shifts.staff.away") }] : [])]}
        />
        <span className="shifts-count">{t("shifts.staff.count", { count: shown.length })}</span>
        <span className="top-spacer" />
        {manages && (
          <>
            <Button component="a" href={hoursSheet(month, today)} variant="default" size="xs" leftSection={<IconDownload size={14} aria-hidden />}>
              {t("shifts.staff.hoursSheet")}
            </Button>
            <Button variant="default" size="xs" leftSection={<IconFileImport size={14} aria-hidden />} onClick={() => setImporting(true)}>
              {t("shifts.staff.import")}
            </Button>
            <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setAdding(true)}>
              {t("shifts.staff.add")}
            </Button>
          </>
        )}
      </div>
      {isError && <p className="shifts-note" role="alert">{t("shifts.unread")}</p>}
      <div className="shifts-scroll">
        <table className="book">
          <thead>
            <tr>
              <th>{t("shifts.staff.name")}</th>
              {manages && <th>{t("shifts.staff.file")}</th>}
              <th>{t("shifts.role")}</th>
              <th>{t("shifts.staff.state")}</th>
              {manages && <th>{t("shifts.staff.credentials")}</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.id} data-away={one.status !== "active"}>
                <td>
                  {manages ? (
                    <button type="button" className="book-link" onClick={() => setOpen(one.id)}>
                      {one.name}
                    </button>
                  ) : (
                    one.name
                  )}
                </td>
                {manages && <td>{one.file_number}</td>}
                <td>{roleName(rules, one.role)}</td>
                <td>
                  {one.on_duty ? <strong className="on-duty">{t("shifts.staff.isOnDuty")}</strong> : t(`shifts.status.${one.status}`)}
                </td>
                {manages && (
                  <td className="papers">
                    {latest(one.credentials ?? []).map((paper) => (
                      <Paper key={paper.id} paper={paper} name={paperName(rules, paper.kind)} today={today} />
                    ))}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
        {members?.length === 0 && <p className="shifts-note">{t("shifts.staff.none")}</p>}
      </div>
      {manages && (
        <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={t("shifts.staff.person")} closeButtonProps={{ "aria-label": t("shifts.close") }}>
          {open && <File key={open} id={open} today={today} />}
        </Drawer>
      )}
      {manages && <AddMember opened={adding} onClose={() => setAdding(false)} onAdded={(id) => (setAdding(false), setOpen(id))} />}
      {manages && <ImportStaff opened={importing} onClose={() => setImporting(false)} />}
    </div>
  );
}

/** Of each kind the one that lasts longest: older ones were renewed. */
function latest(papers: StaffCredential[]): StaffCredential[] {
  const found = new Map<string, StaffCredential>();
  for (const paper of papers) {
    if (paper.withdrawn !== null) continue;
    const held = found.get(paper.kind);
    if (!held || (held.valid_to !== null && (paper.valid_to === null || paper.valid_to > held.valid_to))) found.set(paper.kind, paper);
  }
  return [...found.values()];
}

const troubled = (member: StaffMember, today: string): boolean => latest(member.credentials ?? []).some((paper) => !paper.valid || (paper.valid_to !== null && paper.valid_to <= dayAfter(today, SOON)));

function Paper({ paper, name, today }: { paper: StaffCredential; name: string; today: string }) {
  const left = paper.valid_to === null ? null : Math.round((Date.parse(paper.valid_to) - Date.parse(today)) / 86_400_000);
  const state = !paper.valid ? "expired" : left !== null && left <= SOON ? "soon" : "valid";
  const said =
    state === "expired" ? t("shifts.paper.expired", { name, date: paper.valid_to ? written(paper.valid_to) : "" }) : state === "soon" ? t("shifts.paper.soon", { name, count: left ?? 0 }) : paper.valid_to ? t("shifts.paper.valid", { name, date: written(paper.valid_to) }) : t("shifts.paper.forever", { name });
  return (
    <span className="paper" data-state={state}>
      <IconCertificate size={13} aria-hidden />
      {said}
    </span>
  );
}

function File({ id, today }: { id: string; today: string }) {
  const edition = useEdition("staff", "shifts");
  const { data: file } = useQuery({ queryKey: ["staff-file", id, edition], queryFn: () => staffFile(id) });
  const { data: hours } = useQuery({ queryKey: ["hours", id, today, edition], queryFn: () => workedHours(id, `${today.slice(0, 8)}01`, today) });
  const { data: rules } = useRules();
  const { busy, failure, act } = useAct();
  const [pin, setPinText] = useState("");
  const [until, setUntil] = useState("");
  if (!file) return <p className="shifts-note">{t("page.loading")}</p>;
  const done = (work: Promise<unknown>, words: string) =>
    act(async () => {
      await work;
      say(words);
      return true;
    });
  const become = (status: StaffStatus) => done(standing(file, status, status === "leave" && until ? until : null), t("shifts.staff.saved"));

  return (
    <div className="file">
      <h3>
        {file.name} <small>{t("shifts.staff.fileNumber", { number: file.file_number })}</small>
      </h3>
      <p>
        {roleName(rules, file.role)} · {t(`shifts.status.${file.status}`)}
        {file.status_to && ` ${t("shifts.staff.untilDay", { date: written(file.status_to) })}`}
      </p>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <Fields key={file.version} file={file} busy={busy} onSave={(changes) => void done(amendMember(file, changes), t("shifts.staff.saved"))} />
      <section>
        <h4>{t("shifts.staff.credentials")}</h4>
        <ul className="sheet-list">
          {(file.credentials ?? []).map((paper) => (
            <li key={paper.id} data-away={paper.withdrawn !== null}>
              <span>
                <Paper paper={paper} name={paperName(rules, paper.kind)} today={today} />
                <small>{paper.number}</small>
                {paper.withdrawn !== null && <small>{t("shifts.paper.withdrawn", { reason: paper.withdrawn })}</small>}
              </span>
              {paper.withdrawn === null && <Withdraw paper={paper} name={paperName(rules, paper.kind)} onDone={(reason) => void done(withdrawCredential(paper.id, reason), t("shifts.staff.saved"))} />}
            </li>
          ))}
        </ul>
        <NewPaper busy={busy} onAdd={(made) => done(addCredential(file.id, { id: newId(), ...made }), t("shifts.staff.saved"))} />
      </section>
      <section>
        <h4>{t("shifts.staff.hoursOf", { from: written(`${today.slice(0, 8)}01`), to: written(today) })}</h4>
        {hours && (
          <dl className="figures">
            {(["on_duty", "committed", "planned", "overtime"] as const).map((name) => (
              <div key={name}>
                <dt>{t(`shifts.figure.${name}`)}</dt>
                <dd>{hoursOf(hours[name])}</dd>
              </div>
            ))}
          </dl>
        )}
        <ul className="plain-list">
          {hours?.anomalies.map((odd, which) => (
            <li key={which}>{t("shifts.staff.oddity", { what: t(`shifts.anomaly.${odd.code}`), day: longDayName(dayOf(odd.at)), hour: hour(odd.at) })}</li>
          ))}
        </ul>
      </section>
      <section>
        <h4>{t("shifts.staff.next")}</h4>
        <ul className="plain-list">
          {file.slots.map((slot) => (
            <li key={slot.placement_id}>
              {longDayName(dayOf(slot.starts_at))}, {hour(slot.starts_at)}–{hour(slot.ends_at)} · {slot.where} · {roleName(rules, slot.role).toLowerCase()}
            </li>
          ))}
          {file.slots.length === 0 && <li>{t("shifts.staff.noShifts")}</li>}
        </ul>
      </section>
      <section>
        <h4>{t("shifts.staff.access")}</h4>
        <form
          className="sheet-row"
          onSubmit={(event) => {
            event.preventDefault();
            void done(setPin(file.id, pin), t("shifts.staff.pinSet")).then((ok) => ok && setPinText(""));
          }}
        >
          <TextInput size="xs" label={t(file.has_pin ? "shifts.staff.newPin" : "shifts.staff.pin")} inputMode="numeric" autoComplete="off" maxLength={8} value={pin} onChange={(event) => setPinText(event.currentTarget.value.replace(/\D/g, ""))} />
          <Button size="xs" type="submit" variant="default" disabled={pin.length < 4} loading={busy}>
            {t("shifts.staff.setPin")}
          </Button>
        </form>
        <div className="sheet-row">
          {file.status === "active" && (
            <>
              <TextInput size="xs" type="date" label={t("shifts.staff.leaveUntil")} min={today} value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
              <Button size="xs" variant="default" disabled={busy} onClick={() => void become("leave")}>
                {t("shifts.staff.goOnLeave")}
              </Button>
            </>
          )}
          {file.status !== "active" && (
            <Button size="xs" variant="default" disabled={busy} onClick={() => void become("active")}>
              {t("shifts.staff.comeBack")}
            </Button>
          )}
          {file.status !== "left" && (
            <Button size="xs" variant="default" disabled={busy} onClick={() => void become("left")}>
              {t("shifts.staff.leave")}
            </Button>
          )}
        </div>
      </section>
    </div>
  );
}

function Fields({ file, busy, onSave }: { file: StaffMember; busy: boolean; onSave: (changes: { phone?: string; notes?: string; role?: string }) => void }) {
  const { data: rules } = useRules();
  const [phone, setPhone] = useState(file.phone ?? "");
  const [notes, setNotes] = useState(file.notes ?? "");
  const [role, setRole] = useState(file.role);
  const changed = phone !== file.phone || notes !== file.notes || role !== file.role;
  return (
    <form
      className="sheet-form"
      onSubmit={(event) => {
        event.preventDefault();
        onSave({ phone, notes, role });
      }}
    >
      <div className="sheet-row">
        <Select size="xs" label={t("shifts.role")} allowDeselect={false} data={(rules?.roles ?? []).map(({ code, name }) => ({ value: code, label: name }))} value={role} onChange={(value) => value && setRole(value)} />
        <TextInput size="xs" type="tel" label={t("shifts.staff.phone")} value={phone} maxLength={40} onChange={(event) => setPhone(event.currentTarget.value)} />
      </div>
      <Textarea size="xs" label={t("shifts.staff.notes")} autosize minRows={2} maxLength={2000} value={notes} onChange={(event) => setNotes(event.currentTarget.value)} />
      {changed && (
        <Button size="xs" type="submit" loading={busy}>
          {t("shifts.staff.save")}
        </Button>
      )}
    </form>
  );
}

function Withdraw({ paper, name, onDone }: { paper: StaffCredential; name: string; onDone: (reason: string) => void }) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  if (!asking)
    return (
      <Button size="compact-xs" variant="subtle" onClick={() => setAsking(true)} aria-label={t("shifts.paper.withdrawWhich", { name: `${name} ${paper.number}` })}>
        {t("shifts.paper.withdraw")}
      </Button>
    );
  return (
    <form
      className="sheet-row"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(reason.trim());
      }}
    >
      <TextInput data-autofocus size="xs" aria-label={t("shifts.why")} placeholder={t("shifts.why")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button size="xs" type="submit" variant="default" disabled={!reason.trim()}>
        {t("shifts.paper.withdraw")}
      </Button>
    </form>
  );
}

type MadePaper = { kind: string; number: string; valid_from: string | null; valid_to: string | null };

function NewPaper({ busy, onAdd }: { busy: boolean; onAdd: (made: MadePaper) => Promise<boolean | null> }) {
  const { data: rules } = useRules();
  const [kind, setKind] = useState<string | null>(null);
  const [number, setNumber] = useState("");
  const [to, setTo] = useState("");
  return (
    <form
      className="sheet-row"
      onSubmit={(event) => {
        event.preventDefault();
        if (!kind) return;
        void onAdd({ kind, number, valid_from: null, valid_to: to || null }).then((ok) => {
          if (!ok) return;
          setNumber("");
          setTo("");
        });
      }}
    >
      <Select size="xs" label={t("shifts.paper.kind")} data={(rules?.credentials ?? []).map(({ code, name }) => ({ value: code, label: name }))} value={kind} onChange={setKind} />
      <TextInput size="xs" label={t("shifts.paper.number")} value={number} maxLength={200} onChange={(event) => setNumber(event.currentTarget.value)} />
      <TextInput size="xs" type="date" label={t("shifts.paper.to")} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
      <Button size="xs" type="submit" variant="default" disabled={!kind} loading={busy}>
        {t("shifts.paper.add")}
      </Button>
    </form>
  );
}

function AddMember({ opened, onClose, onAdded }: { opened: boolean; onClose: () => void; onAdded: (id: string) => void }) {
  const { person } = useSession();
  const { data: rules } = useRules();
  const [name, setName] = useState("");
  const [fileNumber, setFileNumber] = useState("");
  const [role, setRole] = useState<string | null>(null);
  const [phone, setPhone] = useState("");
  const { busy, failure, act } = useAct();
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!role) return;
    const id = newId();
    const made = await act(() => addMember({ id, file_number: fileNumber.trim(), name, role, organization_id: person.organization.id, phone }));
    if (!made) return;
    setName("");
    setFileNumber("");
    setPhone("");
    onAdded(id);
  }
  return (
    <Modal opened={opened} onClose={onClose} title={t("shifts.staff.add")} closeButtonProps={{ "aria-label": t("shifts.close") }}>
      <form className="sheet-form" onSubmit={(event) => void submit(event)}>
        <TextInput data-autofocus required label={t("shifts.staff.name")} value={name} maxLength={200} onChange={(event) => setName(event.currentTarget.value)} />
        <div className="sheet-row">
          <TextInput required label={t("shifts.staff.file")} value={fileNumber} maxLength={40} onChange={(event) => setFileNumber(event.currentTarget.value)} />
          <Select required label={t("shifts.role")} data={(rules?.roles ?? []).map(({ code, name: label }) => ({ value: code, label }))} value={role} onChange={setRole} />
        </div>
        <TextInput type="tel" label={t("shifts.staff.phone")} value={phone} maxLength={40} onChange={(event) => setPhone(event.currentTarget.value)} />
        {failure && <p className="form-failure" role="alert">{failure}</p>}
        <Button type="submit" loading={busy}>
          {t("shifts.staff.take")}
        </Button>
      </form>
    </Modal>
  );
}
