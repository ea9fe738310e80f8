import { Button, TextInput } from "@mantine/core";
import { IconCheck, IconLink, IconPhone, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { age, ago, distance, placeLine, stamp } from "../lib/format";
import { t, word } from "../lib/i18n";
import { channelIcon } from "../lib/icons";
import { useDigits, useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { Since } from "../lib/ui/Timer";
import { accept, contact, dismiss, join, similar } from "../lib/verbs";
import type { Report } from "../lib/wire";
import { CardHead } from "./CardHead";
import { openForm, select, useDesk } from "./desk";
import { IncidentForm } from "./IncidentForm";
import { MatchLine } from "./PlaceField";
import { useAct } from "./useAct";
import { WhoseLine } from "./WhoseLine";

export function ReportCard({ report }: { report: Placed<Report> }) {
  const now = useSecond();
  const form = useDesk((state) => state.form);
  const may = useMay("report.triage");
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
        <p>{report.words}</p>
        <footer>{t("report.asTold")}</footer>
      </blockquote>
      {(hint || !report.at) && (
        <p className="report-hints">
          {hint && <span>{t("report.hint", { type: hint.name })}</span>}
          {!report.at && <span className="warn-text">{t("report.noPlaceYet")}</span>}
        </p>
      )}
      {report.has_contact && <Contact report={report} />}
      {!waiting && <p className="card-empty">{word("report.status", report.status)}</p>}
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
      {may && waiting && form === "accept" && (
        <section className="card-section">
          <h3>{t("report.acceptTitle")}</h3>
          <IncidentForm
            draft={`accept:${report.id}`}
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
  const { data, isError, refetch } = useQuery({ queryKey: ["similar", report.id, report.version], queryFn: () => similar(report.id), staleTime: 10_000 });
  const { busy, failure, act } = useAct();
  const joinTo = (incident: string, code: string) =>
    void act(() => join(report.id, incident)).then((done) => {
      if (!done) return;
      say(t("report.joined", { code }));
      select(`incident:${incident}`);
    });
  // Pressed before the list came: join nothing that was not read, but say what is going on.
  const [asked, setAsked] = useState(false);
  const first = data?.[0];
  useKey("v", () => {
    if (first) joinTo(first.incident_id, first.code);
    else if (isError) void refetch();
    else setAsked(true);
  }, !busy);
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
  if (!data || data.length === 0)
    return asked ? (
      <section className="card-section">
        <p className="hint" role="status">
          {t(data ? "report.similarNone" : "report.similarLooking")}
        </p>
      </section>
    ) : null;
  return (
    <section className="card-section">
      <h3>{t("report.similarTitle")}</h3>
      <ul className="similar">
        {data.slice(0, 4).map((found, index) => (
          <li key={found.incident_id}>
            <div>
              <button type="button" className="link-button" onClick={() => select(`incident:${found.incident_id}`)}>
                {found.type_name}
              </button>
              <small>
                {[found.code, t("report.similarFacts", { distance: distance(found.metres), time: age(found.seconds * 1000) }), word("state", found.state)].join(" · ")}
              </small>
            </div>
            <Button size="compact-sm" variant="default" disabled={busy} leftSection={<IconLink size={14} />} onClick={() => joinTo(found.incident_id, found.code)}>
              {t("report.join")} {index === 0 && <kbd>{"V"}</kbd>}
            </Button>
          </li>
        ))}
      </ul>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </section>
  );
}

function Dismiss({ report }: { report: Report }) {
  const { dismissals } = useCatalogue();
  const [draft, change, discard] = useDraft(`dismiss:${report.id}`, { note: "" });
  const { busy, failure, act } = useAct();
  const send = (reason: string | undefined) => {
    if (!reason || busy) return;
    void act(() => dismiss(report.id, reason, draft.note.trim())).then((done) => {
      if (done === null) return;
      discard();
      say(t("report.dismissed"));
      select(null);
    });
  };
  useDigits((index) => send(dismissals[index]?.code));
  return (
    <section className="card-section">
      <h3>{t("report.dismissTitle")}</h3>
      <TextInput label={t("form.noteOptional")} value={draft.note} maxLength={500} onChange={(event) => change({ note: event.currentTarget.value })} />
      <ol className="choices">
        {dismissals.map(({ code, name }, index) => (
          <li key={code}>
            <button type="button" disabled={busy} onClick={() => send(code)}>
              {index < 9 && <kbd>{index + 1}</kbd>} {name}
            </button>
          </li>
        ))}
      </ol>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <Button variant="subtle" color="gray" onClick={() => openForm(null)}>
        {t("action.back")} <kbd>{"Esc"}</kbd>
      </Button>
    </section>
  );
}
