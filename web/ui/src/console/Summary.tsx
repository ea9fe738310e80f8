import { Button, Textarea } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import type { FormEvent, KeyboardEvent } from "react";
import { useDraft } from "../lib/drafts";
import { t } from "../lib/i18n";
import { say, undoOf } from "../lib/toasts";
import { TwoVersions } from "../lib/ui/TwoVersions";
import { summarise } from "../lib/verbs";
import type { Incident } from "../lib/wire";
import { openForm } from "./desk";
import { Act, Back } from "./IncidentActs";
import { useContested } from "./useContested";

/** What it is in a few words, and the way to say it better. */
export function Summary({ incident, mayChange }: { incident: Incident; mayChange: boolean }) {
  if (!incident.summary && !mayChange) return null;
  return (
    <div className="summary">
      <p>{incident.summary || <span className="summary-none">{t("summary.none")}</span>}</p>
      {mayChange && (
        <button type="button" className="summary-edit" aria-label={t("summary.edit")} title={t("summary.edit")} onClick={() => openForm("summary")}>
          <IconPencil size={16} />
        </button>
      )}
    </div>
  );
}

interface Draft {
  text: string;
  /** What it said when one began: the server asks whose words stay where somebody else changed them meanwhile. */
  was: string;
}

export function SummaryForm({ incident }: { incident: Incident }) {
  const [draft, change, discard] = useDraft<Draft>(`summary:${incident.id}`, { text: incident.summary ?? "", was: incident.summary ?? "" });
  const { attempt, busy, failure, contest } = useContested<{ summary: string }>();
  const leave = () => {
    discard();
    openForm(null);
  };
  const send = (was: string) =>
    void attempt(() => summarise(incident.id, draft.text.trim(), was)).then((done) => {
      if (done === null) return;
      leave();
      say(t("summary.saved", { code: incident.code }), undoOf(done));
    });
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (!busy && !contest && draft.text.trim() !== draft.was.trim()) send(draft.was);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    submit();
  };
  return (
    <Act title={t("summary.edit")} failure={failure}>
      <form onSubmit={submit}>
        <Textarea autoFocus autosize minRows={1} maxRows={6} maxLength={2000} aria-label={t("summary.edit")} value={draft.text} onChange={(event) => change({ text: event.currentTarget.value })} onKeyDown={onKeyDown} />
        {contest ? (
          <TwoVersions
            fields={[{ label: t("summary.label"), theirs: contest.fields.summary || "—", mine: draft.text || "—" }]}
            by={contest.by}
            at={contest.at}
            busy={busy}
            onMine={() => send(contest.fields.summary ?? "")}
            onTheirs={leave}
          />
        ) : (
          <div className="form-buttons">
            <Button type="submit" size="sm" loading={busy} disabled={draft.text.trim() === draft.was.trim()}>
              {t("summary.save")} <kbd>{"↵"}</kbd>
            </Button>
            <Back />
          </div>
        )}
      </form>
    </Act>
  );
}
