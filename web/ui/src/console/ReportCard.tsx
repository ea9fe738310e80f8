import { Button, TextInput } from "@mantine/core";
import { IconCheck, IconPhone, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { ago, placeLine, stamp } from "../lib/format";
import { t, word } from "../lib/i18n";
import { channelIcon } from "../lib/icons";
import { useDigits, useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { useMay } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import { Since } from "../lib/ui/Timer";
import { channelsFor, similarTo, type Channel, type Duplicate } from "../lib/calls";
import { accept, contact, dismiss, join } from "../lib/verbs";
import type { Report } from "../lib/wire";
import "./calls/calls.css";
import { DuplicateList } from "./calls/Duplicates";
import { Channels } from "./calls/Elsewhere";
import { Premises } from "./calls/Premises";
import { AnswerField, AnswerWords } from "./AnswerField";
import { CardHead } from "./CardHead";
import { openForm, select, useDesk } from "./desk";
import { IncidentForm } from "./IncidentForm";
import { MatchLine } from "./PlaceField";
import { PastActs } from "./ReplayBar";
import { useAct } from "./useAct";
import { WhoseLine } from "./WhoseLine";

const DEFLECTED = "not_emergency"; // the dismissal of what is not ours

export function ReportCard({ report }: { report: Placed<Report> }) {
  const now = useSecond();
  const form = useDesk((state) => state.form);
  const may = useMay("report.triage");
  const past = useInPast();
  const { type } = useCatalogue();
  const Channel = channelIcon(report.channel);
  const waiting = report.status === "received";
  const hint = type(report.type_hint);
  useKey("a", () => openForm("accept", report.at), may && waiting && form !== "accept");
  useKey("x", () => openForm("dismiss"), may && waiting && form !== "dismiss");
  return (
    <>
      <CardHead
        mark={<Channel size={26} aria-hidden />}
        title={t("report.title", { channel: word("channel", report.channel) })}
        code={`${ago(report.received_at, now)} · ${stamp(report.received_at, now)}`}
        place={placeLine(report.place, report.zone) || t("report.noPlace")}
        side={waiting && <Since at={report.received_at} className="timer timer-big" />}
      />
      <MatchLine match={report.place_match} />
      <WhoseLine of={report} />
      <blockquote className="as-told">
        <p>{report.words || t("calls.noWords")}</p>
        <footer>{t("report.asTold")}</footer>
      </blockquote>
      {report.facts && report.facts.length > 0 && (
        <ul className="told-after" aria-label={t("report.facts")}>
          {report.facts.map(({ at, words }) => (
            <li key={at}>
              <time dateTime={at}>{stamp(at, now)}</time> <q>{words}</q>
            </li>
          ))}
        </ul>
      )}
      {(hint || !report.at) && (
        <p className="report-hints">
          {hint && <span>{t("report.hint", { type: hint.name })}</span>}
          {!report.at && <span className="warn-text">{t("report.noPlaceYet")}</span>}
        </p>
      )}
      {report.has_contact && !past && <Contact report={report} />}
      {!waiting && <p className="card-empty">{word("report.status", report.status)}</p>}
      {past && <PastActs acts={[t("report.accept"), t("report.dismiss")]} />}
      {may && waiting && form !== "accept" && form !== "dismiss" && (
        <div className="card-actions">
          <Button leftSection={<IconCheck size={16} />} onClick={() => openForm("accept", report.at)}>
            {t("report.accept")} <kbd>{"A"}</kbd>
          </Button>
          <Button variant="default" leftSection={<IconX size={16} />} onClick={() => openForm("dismiss")}>
            {t("report.dismiss")} <kbd>{"X"}</kbd>
          </Button>
        </div>
      )}
      {may && waiting && form === "dismiss" && <Dismiss report={report} />}
      {may && waiting && form !== "dismiss" && <Similar report={report} />}
      {may && waiting && form !== "dismiss" && <Premises at={report.at} place={report.place ?? ""} />}
      {may && waiting && form === "accept" && (
        <section className="card-section">
          <h3>{t("report.acceptTitle")}</h3>
          <IncidentForm
            draft={`take:${report.id}`}
            initial={{ place: report.place ?? "", at: report.at, match: report.at ? report.place_match : null, type: report.type_hint }}
            submitLabel={t("report.acceptSend")}
            send={(incident) => accept(report.id, incident)}
            onDone={(incident) => {
              say(t("form.created", { code: incident.code }));
              select(`incident:${incident.id}`);
            }}
            onCancel={() => openForm(null)}
          />
        </section>
      )}
    </>
  );
}

/** Personal data only when asked for: each look is recorded. */
function Contact({ report }: { report: Report }) {
  const [seen, setSeen] = useState<{ name: string | null; phone: string | null } | null>(null);
  const { busy, failure, act } = useAct();
  if (seen)
    return (
      <p className="contact">
        <IconPhone size={16} aria-hidden />
        <strong>{seen.name ?? t("report.noName")}</strong>
        {seen.phone && <a href={`tel:${seen.phone.replace(/[^+\d]/g, "")}`}>{seen.phone}</a>}
      </p>
    );
  return (
    <p className="contact">
      <button type="button" className="link-button" disabled={busy} onClick={() => void act(() => contact(report.id)).then((found) => found && setSeen(found))}>
        <IconPhone size={16} aria-hidden /> {t("report.seeContact")}
      </button>
      <small>{t("report.contactRecorded")}</small>
      {failure && <span className="form-failure">{failure}</span>}
    </p>
  );
}

/** "Is it the same as another?": one press joins. */
function Similar({ report }: { report: Placed<Report> }) {
  const { data, isError, refetch } = useQuery({ queryKey: ["similar", report.id, report.version], queryFn: () => similarTo(report.id), staleTime: 10_000 });
  const form = useDesk((state) => state.form);
  const { busy, failure, act } = useAct();
  const joinTo = ({ incident_id, code }: Duplicate) =>
    void act(() => join(report.id, incident_id)).then((done) => {
      if (!done) return;
      say(t("report.joined", { code }), undoOf(done));
      select(`incident:${incident_id}`);
    });
  // Pressed before the list came: join nothing that was not read, but say what is going on.
  const [asked, setAsked] = useState(false);
  const found = data?.slice(0, 4) ?? [];
  const digits = form === null; // while it is being accepted, digits answer questions
  useKey(["v", "alt+v"], () => {
    if (found[0]) joinTo(found[0]);
    else if (isError) void refetch();
    else setAsked(true);
  }, !busy);
  useDigits((index) => found[index] && joinTo(found[index]), digits && !busy && found.length > 0);
  if (isError && !data)
    return (
      <section className="card-section">
        <p className="form-failure" role="alert">
          {t("report.similarFailed")}{" "}
          <button type="button" className="link-button" onClick={() => void refetch()}>
            {t("action.retry")}
          </button>
        </p>
      </section>
    );
  if (found.length === 0)
    return asked ? (
      <section className="card-section">
        <p className="hint" role="status">
          {t(data ? "report.similarNone" : "report.similarLooking")}
        </p>
      </section>
    ) : null;
  return (
    <section className="card-section" aria-label={t("duplicates.title")}>
      <h3>{t("duplicates.title")}</h3>
      <DuplicateList found={found} busy={busy} onJoin={joinTo} digits={digits} opens />
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </section>
  );
}

function Dismiss({ report }: { report: Report }) {
  const words = useCatalogue();
  const { dismissals } = words;
  const [elsewhere, setElsewhere] = useState(false);
  const [draft, change, discard] = useDraft(`dismiss:${report.id}`, { note: "", answer: "" });
  const { busy, failure, act } = useAct();
  const send = (reason: string | undefined, channel?: Channel) => {
    if (!reason || busy) return;
    // What is somebody else's says whose: the reporter reads it on the page of his report.
    if (reason === DEFLECTED && !channel && (words.channels ?? []).length > 0) return setElsewhere(true);
    void act(() => dismiss(report.id, reason, draft, channel?.code)).then((done) => {
      if (done === null) return;
      discard();
      say(t("report.dismissed"), undoOf(done));
      select(null);
    });
  };
  useDigits((index) => send(dismissals[index]?.code));
  return (
    <section className="card-section">
      <h3>{t("report.dismissTitle")}</h3>
      <AnswerField value={draft.answer} onChange={(answer) => change({ answer })} />
      <TextInput label={t("form.noteOptional")} value={draft.note} maxLength={500} onChange={(event) => change({ note: event.currentTarget.value })} />
      {elsewhere && <Channels channels={channelsFor(words, report.type_hint)} busy={busy} onPick={(channel) => send(DEFLECTED, channel)} />}
      <ol className="choices" hidden={elsewhere}>
        {dismissals.map(({ code, name, answer }, index) => (
          <li key={code}>
            <button type="button" disabled={busy} onClick={() => send(code)}>
              {index < 9 && <kbd>{index + 1}</kbd>} {name} {!draft.answer.trim() && <AnswerWords answer={answer} />}
            </button>
          </li>
        ))}
      </ol>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <Button variant="subtle" color="gray" onClick={() => (elsewhere ? setElsewhere(false) : openForm(null))}>
        {t("action.back")} <kbd>{"Esc"}</kbd>
      </Button>
    </section>
  );
}
