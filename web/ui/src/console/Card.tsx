import type { Placed } from "../lib/board";
import { t, word } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { useInPast } from "../lib/moment";
import { isOpen, isUnacknowledged } from "../lib/queue";
import { useMay, useSession } from "../lib/session";
import { subjectKind, type Closure, type Incident, type Report, type Unit } from "../lib/wire";
import { CardHead } from "./CardHead";
import { CallCard } from "./calls/CallCard";
import { Circuits } from "./Circuits";
import { ClosureCard } from "./ClosureCard";
import { ClosureForm } from "./ClosureForm";
import { ClusterCard } from "./ClusterCard";
import { useDesk } from "./desk";
import { IncidentCard } from "./IncidentCard";
import { usePast } from "./past";
import { ReportCard } from "./ReportCard";
import { UnitCard } from "./UnitCard";
import { Zones } from "./Zones";

/** The right side: whatever is selected, whole. */
export function Card() {
  useBoard();
  const selected = useDesk((state) => state.selected);
  const form = useDesk((state) => state.form);
  return (
    <aside className="card" id="card" tabIndex={-1} aria-label={t("card.title")}>
      {form === "new" ? <CallCard /> : form === "closure" ? <ClosureForm /> : form === "zones" ? <Zones /> : form === "circuits" ? <Circuits /> : selected ? <Selected key={selected} subject={selected} /> : <Nothing />}
    </aside>
  );
}

function Selected({ subject }: { subject: string }) {
  const lookedUp = usePast(subject);
  const past = useInPast();
  if (subject.startsWith("cluster:") && !past) return <ClusterCard subject={subject} />;
  const found = board.get<object>(subject) ?? (past ? null : lookedUp);
  if (!found) return past ? <NotThen /> : <Gone kind={subjectKind(subject)} />;
  if (subject.startsWith("report:")) return <ReportCard report={found as Placed<Report>} />;
  if (subject.startsWith("unit:")) return <UnitCard unit={found as Placed<Unit>} />;
  if (subject.startsWith("closure:")) return <ClosureCard closure={found as Placed<Closure>} />;
  return <IncidentCard incident={found as Placed<Incident>} />;
}

/** It left the board while we looked at it: said, and nothing jumps. */
function Gone({ kind }: { kind: string }) {
  return (
    <>
      <CardHead mark={null} title={t("card.gone")} />
      <p className="card-empty">{word("card.goneWhy", kind)}</p>
    </>
  );
}

/** The past that is shown knows nothing of it: it was not there yet, or not any more, or may not be known. */
function NotThen() {
  return (
    <>
      <CardHead mark={null} title={t("replay.notThen")} />
      <p className="card-empty">{t("replay.notThenWhy")}</p>
    </>
  );
}

/** Nothing selected: where things stand and how to begin. */
function Nothing() {
  useBoard();
  const { person } = useSession();
  const past = useInPast();
  const mayOpen = useMay("incident.open");
  const mayClose = useMay("closure.draw");
  const incidents = board.incidents().filter((incident) => !incident.masked && isOpen(incident));
  const waiting = board.reports().filter(({ status }) => status === "received").length;
  const unheard = incidents.filter(isUnacknowledged).length;
  const free = board.units().filter(({ status }) => status === "available").length;
  return (
    <div className="card-nothing">
      <h2>{t("card.hello", { name: person.name.split(" ")[0] })}</h2>
      <dl>
        <div>
          <dt>{t("card.waiting")}</dt>
          <dd>{waiting}</dd>
        </div>
        <div>
          <dt>{t("card.unheard")}</dt>
          <dd>{unheard}</dd>
        </div>
        <div>
          <dt>{t("card.free")}</dt>
          <dd>{free}</dd>
        </div>
      </dl>
      <p>{past ? t("replay.chooseThen") : incidents.length === 0 && waiting === 0 ? t("card.allQuiet") : t("card.choose")}</p>
      <ul className="key-hints">
        <li>
          <kbd>{"J"}</kbd> <kbd>{"K"}</kbd> {t("keys.move")}
        </li>
        {mayOpen && (
          <li>
            <kbd>{"N"}</kbd> {t("keys.new")}
          </li>
        )}
        {mayClose && (
          <li>
            <kbd>{"B"}</kbd> {t("keys.closure")}
          </li>
        )}
        <li>
          <kbd>{"M"}</kbd> {t("keys.map")}
        </li>
        <li>
          <kbd>{"U"}</kbd> {t("keys.units")}
        </li>
        <li>
          <kbd>{"?"}</kbd> {t("keys.title")}
        </li>
      </ul>
    </div>
  );
}
