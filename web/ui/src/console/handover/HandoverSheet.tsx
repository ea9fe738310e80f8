import "./handover.css";
import { Button, Checkbox, Modal, Select, Textarea } from "@mantine/core";
import { IconCheck, IconTransfer } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type KeyboardEvent, type ReactNode } from "react";
import { newId } from "../../lib/api";
import { useDraft } from "../../lib/drafts";
import { explain } from "../../lib/explain";
import { hour, running, stamp } from "../../lib/format";
import { handOver, handoverPeople, receiveHandover, standing, waitingFor, type Handover } from "../../lib/handover";
import { t, word } from "../../lib/i18n";
import { board, useKinds, useSecond } from "../../lib/live";
import { isOverdue, overdueBy } from "../../lib/queue";
import { useMay, useSession } from "../../lib/session";
import { shelvedAlarms, waitingReports } from "../../lib/supervision";
import { say } from "../../lib/toasts";
import { PriorityMark } from "../../lib/ui/PriorityMark";
import { desk, select, useDesk } from "../desk";
import { useAct } from "../useAct";
import { useBook } from "./useBook";

const shut = () => desk.setState({ sheet: null });

/** `G R`: who leaves says what stands open, who comes says that they have it. Filled in already; two names and it is done. */
export function HandoverSheet() {
  const may = useMay("shift.hand_over");
  const shown = useDesk((state) => state.sheet === "handover");
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={shown && may} onClose={shut} title={t("handover.title")} size="62rem" closeButtonProps={{ "aria-label": t("action.close") }}>
      <Page />
    </Modal>
  );
}

interface Draft {
  id: string;
  to: string | null;
  note: string;
  passOn: boolean;
}

function Page() {
  useKinds("incident", "alarm", "report");
  const { person } = useSession();
  const now = useSecond();
  const incidents = standing(board.incidents(), now);
  const mine = incidents.filter(({ handler }) => handler?.id === person.id).length;
  const late = incidents.filter((incident) => isOverdue(incident, now)).length;
  const shelved = shelvedAlarms(board.alarms());
  const book = useBook();
  const pages = book.data?.handovers ?? [];
  const waits = waitingFor(pages, person.id, now);
  const facts = [
    ["open", incidents.length],
    ["late", late],
    ["reports", waitingReports(board.reports()).length],
    ["tasks", incidents.reduce((sum, { tasks }) => sum + (tasks?.open ?? 0), 0)],
    ["shelved", shelved.length],
  ] as const;
  return (
    <div className="handover">
      <Book pages={pages} waits={waits} failure={book.error && !book.data ? explain(book.error) : null} />
      <dl className="figures">
        {facts.map(([name, count]) => (
          <div key={name}>
            <dt>{t(`handover.facts.${name}`)}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <List
        name="open"
        rows={incidents.map((incident) => ({
          key: incident.id,
          mark: <PriorityMark level={incident.priority} size={20} />,
          what: incident.type_name,
          where: incident.place || incident.code,
          who: incident.handler?.name ?? t("handler.nobody"),
          said: isOverdue(incident, now) ? `+${running(overdueBy(incident, now) ?? 0)}` : word("state", incident.state),
          late: isOverdue(incident, now),
          go: () => select(incident.subject),
        }))}
      />
      {shelved.length > 0 && (
        <List
          name="shelved"
          rows={shelved.map((alarm) => ({
            key: alarm.id,
            what: word("alarms.kinds", alarm.kind),
            where: [alarm.call_sign, alarm.incident_code].filter(Boolean).join(" · "),
            who: alarm.shelve_reason ?? "",
            said: alarm.shelved_until ? t("supervision.returns", { hour: hour(alarm.shelved_until) }) : "",
          }))}
        />
      )}
      <Signatures mine={mine} waits={waits !== null} />
    </div>
  );
}

function Signatures({ mine, waits }: { mine: number; waits: boolean }) {
  const { person } = useSession();
  const queries = useQueryClient();
  const people = useQuery({ queryKey: ["handover-people"], queryFn: handoverPeople });
  const [draft, change, discard] = useDraft<Draft>("handover", { id: newId(), to: null, note: "", passOn: true });
  const { busy, failure, act, setFailure } = useAct();
  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (busy) return;
    if (draft.to === null) return setFailure(t("handover.needsName"));
    const { id, to, note, passOn } = draft;
    const done = await act(() => handOver({ id, to_id: to, note: note.trim(), pass_on: passOn }));
    if (!done) return;
    discard();
    change({ id: newId(), to: null, note: "", passOn: true });
    await queries.invalidateQueries({ queryKey: ["handovers"] });
    shut();
    say(t("handover.done", { name: done.to, hour: hour(done.made_at), count: done.passed.length }));
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(event as unknown as FormEvent);
  };
  return (
    <form className="handover-sign" onSubmit={(event) => void submit(event)} onKeyDown={onKeyDown}>
      <Textarea label={t("handover.note")} placeholder={t("handover.noteExample")} autosize minRows={2} maxRows={6} maxLength={2000} value={draft.note} onChange={(event) => change({ note: event.currentTarget.value })} />
      <div className="handover-names">
        <p>
          <small>{t("handover.from")}</small>
          <strong>{person.name}</strong>
        </p>
        <Select
          data-autofocus={waits ? undefined : true}
          openOnFocus={false}
          label={t("handover.to")}
          placeholder={t("handover.toWhom")}
          data={(people.data?.people ?? []).map(({ id, name, role }) => ({ value: id, label: `${name} · ${word("role", role)}` }))}
          value={draft.to}
          searchable
          selectFirstOptionOnChange
          nothingFoundMessage={t("handover.nobody")}
          comboboxProps={{ withinPortal: true }}
          onChange={(to) => change({ to })}
        />
        {mine > 0 && <Checkbox checked={draft.passOn} onChange={(event) => change({ passOn: event.currentTarget.checked })} label={t("handover.passOn", { count: mine })} />}
      </div>
      {(failure ?? people.error) !== null && (
        <p className="form-failure" role="alert">
          {failure ?? explain(people.error)}
        </p>
      )}
      <div className="form-buttons">
        <Button type="submit" loading={busy} leftSection={<IconTransfer size={16} />}>
          {t("handover.send")} <kbd>{"Ctrl ↵"}</kbd>
        </Button>
        <Button variant="subtle" color="gray" onClick={shut}>
          {t("action.back")} <kbd>{"Esc"}</kbd>
        </Button>
      </div>
    </form>
  );
}

/** The last pages; the one that waits for whoever sits here is open. */
function Book({ pages, waits, failure }: { pages: Handover[]; waits: Handover | null; failure: string | null }) {
  const now = useSecond();
  if (failure)
    return (
      <p className="form-failure" role="alert">
        {failure}
      </p>
    );
  if (pages.length === 0) return null;
  return (
    <section className="handover-book" aria-label={t("handover.book")}>
      {pages.map((page) => (
        <OnePage key={page.id} page={page} now={now} open={page.id === waits?.id} />
      ))}
    </section>
  );
}

function OnePage({ page, now, open: shown }: { page: Handover; now: number; open: boolean }) {
  const { person } = useSession();
  const queries = useQueryClient();
  const { busy, failure, act } = useAct();
  const { incidents, open: stood, overdue, alarms, reports, passed } = page.content;
  const receive = () =>
    void act(() => receiveHandover(page.id)).then((done) => {
      if (done === null) return;
      void queries.invalidateQueries({ queryKey: ["handovers"] });
      say(t("handover.received", { name: page.made_by.name }));
    });
  return (
    <details open={shown}>
      <summary>
        <span>{t("handover.signed", { from: page.made_by.name, to: page.to.name, at: stamp(page.made_at, now) })}</span>
        <small>{page.received_at ? t("handover.receivedAt", { at: stamp(page.received_at, now) }) : t("handover.notReceived")}</small>
      </summary>
      {page.note && <p className="handover-note">{page.note}</p>}
      <p className="hint">{t("handover.stood", { incidents: stood, late: overdue, reports, alarms: alarms.length, passed: passed.length })}</p>
      <List
        name="then"
        rows={incidents.map((one) => ({
          key: one.incident_id,
          mark: <PriorityMark level={one.priority} size={20} />,
          what: one.type_name,
          where: one.place || one.code,
          who: one.handler ?? t("handler.nobody"),
          said: one.overdue ? t("handover.overdue") : word("state", one.state),
          late: one.overdue,
          go: () => select(`incident:${one.incident_id}`),
        }))}
      />
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {page.to.id === person.id && page.received_at === null && (
        <div className="form-buttons">
          <Button size="sm" data-autofocus loading={busy} leftSection={<IconCheck size={16} />} onClick={receive}>
            {t("handover.receive")}
          </Button>
        </div>
      )}
    </details>
  );
}

interface Row {
  key: string;
  mark?: ReactNode;
  what: string;
  where: string;
  who: string;
  said: string;
  late?: boolean;
  go?: () => void;
}

const FIRST = 8; // of a list, until somebody wants the rest

function List({ name, rows }: { name: "open" | "shelved" | "then"; rows: Row[] }) {
  const [all, setAll] = useState(false);
  if (rows.length === 0) return <p className="hint">{t(`handover.none.${name}`)}</p>;
  return (
    <section className="handover-list">
      <h3>{t(`handover.lists.${name}`)}</h3>
      <ul>
        {rows.slice(0, all ? rows.length : FIRST).map(({ key, mark, what, where, who, said, late, go }) => (
          <li key={key}>
            <button type="button" disabled={!go} onClick={() => (shut(), go?.())}>
              <span>{mark}</span>
              <strong>{what}</strong>
              <span className="handover-where">{where}</span>
              <span className="handover-who">{who}</span>
              <span className={late ? "handover-said handover-late" : "handover-said"}>{said}</span>
            </button>
          </li>
        ))}
      </ul>
      {rows.length > FIRST && !all && (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          {t("handover.more", { count: rows.length - FIRST })}
        </button>
      )}
    </section>
  );
}
