import { Button } from "@mantine/core";
import { IconHandStop, IconUserShare } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { explain } from "../lib/explain";
import { t } from "../lib/i18n";
import { useDigits } from "../lib/keys";
import { useInPast } from "../lib/moment";
import { isOver } from "../lib/queue";
import { useMay, useSession } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import { TwoVersions } from "../lib/ui/TwoVersions";
import { giveIncident, handlersOf } from "../lib/verbs";
import type { Incident } from "../lib/wire";
import { openForm } from "./desk";
import { Act, Back } from "./IncidentActs";
import { useContested } from "./useContested";

/** Who handles it at the desks: a name and not a lock. One's own with one click, anybody else's from the menu. */
export function Handler({ incident }: { incident: Incident }) {
  const { person } = useSession();
  const may = useMay("unit.dispatch");
  const past = useInPast();
  const { attempt, busy, failure, contest, settle } = useContested<{ handler_id: string }>();
  const mine = incident.handler?.id === person.id;
  const take = (was: string | undefined = incident.handler?.id) =>
    void attempt(() => giveIncident(incident.id, person.id, was)).then((done) => done && say(t("handler.nowYours", { code: incident.code }), undoOf(done)));
  if (!incident.handler && !may) return null;
  return (
    <div className="handler">
      <span className={mine ? "handler-name handler-mine" : "handler-name"}>{mine ? t("handler.you") : incident.handler ? t("handler.other", { name: incident.handler.name }) : t("handler.nobody")}</span>
      {may && !past && !isOver(incident) && !mine && (
        <Button size="compact-sm" variant="default" loading={busy} leftSection={<IconHandStop size={14} />} onClick={() => take()}>
          {t("handler.take")}
        </Button>
      )}
      {may && !past && !isOver(incident) && (
        <Button size="compact-sm" variant="subtle" color="gray" leftSection={<IconUserShare size={14} />} onClick={() => openForm("handler")}>
          {t("handler.give")}
        </Button>
      )}
      {contest && (
        <TwoVersions
          fields={[{ label: t("handler.label"), theirs: contest.by, mine: person.name }]}
          by={contest.by}
          at={contest.at}
          busy={busy}
          onMine={() => take(contest.fields.handler_id)}
          onTheirs={settle}
        />
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </div>
  );
}

/** Whom it is given to: a digit is enough. */
export function HandlerForm({ incident }: { incident: Incident }) {
  const people = useQuery({ queryKey: ["handlers", incident.id], queryFn: () => handlersOf(incident.id) });
  const { attempt, busy, failure, contest } = useContested<{ handler_id: string }>();
  const others = (people.data?.people ?? []).filter(({ id }) => id !== incident.handler?.id);
  const give = (to: { id: string; name: string } | undefined) => {
    if (!to || busy) return;
    void attempt(() => giveIncident(incident.id, to.id, contest?.fields.handler_id ?? incident.handler?.id)).then((done) => {
      if (done === null) return;
      openForm(null);
      say(t("handler.nowTheirs", { code: incident.code, name: to.name }), undoOf(done));
    });
  };
  useDigits((index) => give(others[index]));
  return (
    <Act title={t("handler.giveTitle")} failure={failure ?? (people.error ? explain(people.error) : null)}>
      {contest && <p role="alert">{t("handler.contest", { name: contest.by })}</p>}
      {people.isPending && <p className="hint">{t("page.loading")}</p>}
      {people.data && others.length === 0 && <p className="hint">{t("handler.nobodyElse")}</p>}
      <ol className="choices">
        {others.map((each, index) => (
          <li key={each.id}>
            <button type="button" disabled={busy} onClick={() => give(each)}>
              {index < 9 && <kbd>{index + 1}</kbd>} {each.name}
            </button>
          </li>
        ))}
      </ol>
      <div className="form-buttons">
        <Back />
      </div>
    </Act>
  );
}
