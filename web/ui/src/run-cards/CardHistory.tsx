import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useCatalogue } from "../lib/catalogue";
import { stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { useCapabilities } from "../lib/resources";
import { say, sayFailed } from "../lib/toasts";
import { withdrawCard } from "../lib/verbs";
import type { CardChange, CardEdition } from "../lib/wire";

/** Every edition there was, what it changed, and the way back. Nothing is ever deleted. */
export function History({ editions, now, mayEdit, onBase }: { editions: CardEdition[]; now: number; mayEdit: boolean; onBase: (edition: CardEdition) => void }) {
  const [all, setAll] = useState(false);
  const [leaving, setLeaving] = useState<string | null>(null);
  const shown = all ? editions : editions.slice(0, 4);
  return (
    <section className="card-history">
      <h3>{t("runCards.history")}</h3>
      {editions.length === 0 && <p className="hint">{t("runCards.noHistory")}</p>}
      <ol>
        {shown.map((one) => (
          <li key={one.id} className={`edition edition-${one.standing}`}>
            <p>
              <strong>{t("runCards.edition", { n: one.number })}</strong> <span className="state-chip">{t(`runCards.standing.${one.standing}`)}</span>{" "}
              <small>
                {one.valid_from ? t("runCards.from", { since: stamp(one.valid_from, now) }) : t("runCards.fromAlways")} · {one.made_by}
              </small>
            </p>
            {one.note && <p>{one.note}</p>}
            {one.trial?.summary && <p className="hint">{t("runCards.tried", { count: one.trial.summary.incidents, days: one.trial.days, by: one.trial.asked_by })}</p>}
            {one.withdrawn && <p className="hint">{t("runCards.withdrawn", { by: one.withdrawn.by, at: stamp(one.withdrawn.at, now), reason: one.withdrawn.reason })}</p>}
            {one.changes && <Changes changes={one.changes} />}
            {mayEdit && (
              <p className="edition-acts">
                {!one.withdrawn && one.standing !== "past" && (
                  <button type="button" className="link-button" onClick={() => setLeaving(leaving === one.id ? null : one.id)}>
                    {t("runCards.undo")}
                  </button>
                )}
                <button type="button" className="link-button" onClick={() => onBase(one)}>
                  {t("runCards.base")}
                </button>
              </p>
            )}
            {leaving === one.id && <Withdraw edition={one} onDone={() => setLeaving(null)} />}
          </li>
        ))}
      </ol>
      {editions.length > shown.length && (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          {t("runCards.older", { count: editions.length - shown.length })}
        </button>
      )}
    </section>
  );
}

function Withdraw({ edition, onDone }: { edition: CardEdition; onDone: () => void }) {
  const [reason, setReason] = useState("");
  return (
    <form
      className="task-drop"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason.trim()) return;
        void withdrawCard(edition.id, reason.trim()).then(() => {
          say(t("runCards.withdrawnNow", { n: edition.number }));
          onDone();
        }, sayFailed);
      }}
    >
      <TextInput autoFocus size="xs" aria-label={t("runCards.whyUndo")} placeholder={t("runCards.whyUndo")} maxLength={200} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button type="submit" size="xs" variant="default" disabled={!reason.trim()}>
        {t("runCards.undo")}
      </Button>
    </form>
  );
}

/** What changed, a line for each: a plus for what came, a minus for what went, an arrow for what is otherwise. */
export function Changes({ changes }: { changes: CardChange[] }) {
  const words = useWords();
  if (changes.length === 0) return <p className="hint">{t("runCards.same")}</p>;
  return (
    <ul className="changes">
      {changes.map((change, index) => (
        <li key={index} className={change.before ? (change.after ? "changed" : "gone") : "come"}>
          <small>{t("runCards.levelShort", { n: change.level })}</small>
          {change.before && <del>{words(change.part, change.before)}</del>}
          {change.before && change.after && " → "}
          {change.after && <ins>{words(change.part, change.after)}</ins>}
        </li>
      ))}
    </ul>
  );
}

function useWords(): (part: CardChange["part"], thing: Record<string, unknown>) => string {
  const capabilities = useCapabilities();
  const { agencies } = useCatalogue();
  return (part, thing) => {
    const times = Number(thing.count) > 1 ? ` ×${String(thing.count)}` : "";
    if (part === "needs") {
      const name = capabilities.find(({ code }) => code === thing.capability)?.name ?? String(thing.capability);
      const least = thing.at_least ? ` ${t("runCards.atLeast", { n: thing.at_least })}` : "";
      return `${name}${times}${least} (${t(`runCards.kind.${String(thing.kind)}`).toLowerCase()})`;
    }
    if (part === "agencies") {
      const name = agencies.find(({ code }) => code === thing.agency)?.name ?? String(thing.agency);
      return [`${name}${times}`, thing.note].filter(Boolean).join(": ");
    }
    if (part === "messages") return `${t(`tasks.to.${String(thing.to)}`)}: ${String(thing.text)}`;
    const within = thing.within_minutes ? ` (${t("runCards.withinShort", { n: thing.within_minutes })})` : "";
    const steps = Array.isArray(thing.checklist) && thing.checklist.length > 0 ? `: ${thing.checklist.join(" · ")}` : "";
    return `${String(thing.text)}${within}${steps}`;
  };
}
