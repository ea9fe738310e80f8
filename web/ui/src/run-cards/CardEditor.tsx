import { Button, TextInput } from "@mantine/core";
import { IconArrowLeft, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { newId, Refusal } from "../lib/api";
import { useDraft } from "../lib/drafts";
import { explain } from "../lib/explain";
import { stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useRegister } from "../lib/registers";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { publishCard, runCardBook, withdrawCard } from "../lib/verbs";
import type { CardEdition, CardLevel, IncidentType, Level } from "../lib/wire";
import { CardLevelForm } from "./CardLevelForm";
import { Changes, History } from "./CardHistory";
import { Preview } from "./CardPreview";
import { Trial } from "./CardTrial";

interface Draft {
  id: string;
  /** Null: nothing was changed yet, and what is in force is shown. */
  levels: CardLevel[] | null;
  from: string | null;
  seen: number;
  note: string;
  since: string;
  trial: string | null;
}

const EMPTY: CardLevel = { needs: [], agencies: [], tasks: [], messages: [] };
const BLANK: Draft = { id: "", levels: null, from: null, seen: 0, note: "", since: "", trial: null };
const MOST_LEVELS = 9;

interface Props {
  type: IncidentType;
  priority: Level | null;
  onPriority: (priority: Level | null) => void;
  onLeave: () => void;
}

/** One card: its levels, what they would do, when they hold from, and what they were before. */
export function CardEditor({ type, priority, onPriority, onLeave }: Props) {
  const edition = useRegister("run_cards");
  const { data, isPending, error } = useQuery({
    queryKey: ["run-card-book", type.code, priority, edition],
    queryFn: () => runCardBook(type.code, priority).catch(orNone),
    placeholderData: (held) => held,
    staleTime: 60_000,
  });
  const mayEdit = useMay("run_card.edit");
  const now = useSecond();
  const [draft, change, discard] = useDraft<Draft>(`card:${type.code}:${priority ?? 0}`, BLANK);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [other, setOther] = useState<number | null>(null);
  const top = useRef<HTMLElement>(null);

  const editions = data?.editions ?? [];
  const held = editions.find(({ standing }) => standing === "in_force") ?? null;
  const newest = editions[0]?.number ?? 0;
  const coming = editions.filter(({ standing }) => standing === "coming");
  const levels = draft.levels ?? held?.levels ?? [EMPTY];
  const dirty = draft.levels !== null;

  const put = (next: CardLevel[]) =>
    change(dirty ? { levels: next, trial: null } : { id: newId(), levels: next, from: held?.id ?? null, seen: newest, trial: null });
  const base = (of: CardEdition) => {
    change({ id: newId(), levels: of.levels, from: of.id, seen: newest, trial: null });
    top.current?.scrollIntoView({ block: "start" });
  };

  async function publish() {
    if (!draft.levels || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      const laid = await publishCard({
        id: draft.id, type_code: type.code, priority, levels: tidy(draft.levels), seen: draft.seen, made_from: draft.from ?? undefined,
        valid_from: draft.since ? new Date(draft.since).toISOString() : undefined, note: draft.note.trim() || undefined, trial_id: draft.trial ?? undefined,
      });
      discard();
      setOther(null);
      say(t("runCards.published", { n: laid.number, code: type.code }), () => withdrawCard(laid.id, t("runCards.undone")));
    } catch (refused) {
      if (refused instanceof Refusal && refused.problem.code === "CardEditedMeanwhile") setOther(Number(refused.problem.facts?.number) || newest);
      else if (!(refused instanceof Refusal && refused.unreachable)) change({ id: newId() });
      setFailure(explain(refused));
    } finally {
      setBusy(false);
    }
  }
  useKey("ctrl+enter", () => void publish(), dirty && mayEdit);

  if (isPending) return <p className="cards-blank">{t("page.loading")}</p>;
  if (!data)
    return (
      <p className="cards-blank form-failure" role="alert">
        {explain(error)}
      </p>
    );
  const theirs = other === null ? undefined : editions.find(({ number }) => number === other);
  return (
    <article className="card-editor" ref={top}>
      <header>
        <button type="button" className="cards-back link-button" onClick={onLeave}>
          <IconArrowLeft size={16} aria-hidden /> {t("runCards.back")}
        </button>
        <h2>
          {type.name} <small>{type.code}</small>
        </h2>
        <label className="card-priority">
          {t("runCards.for")}
          <select value={priority ?? 0} onChange={(event) => onPriority((Number(event.currentTarget.value) || null) as Level | null)}>
            <option value={0}>{t("runCards.everyPriority")}</option>
            {[1, 2, 3, 4].map((n) => (
              <option key={n} value={n}>
                {t("runCards.only", { n })}
              </option>
            ))}
          </select>
        </label>
        <p className="card-standing">
          {held ? (held.valid_from ? t("runCards.holds", { n: held.number, since: stamp(held.valid_from, now), by: held.made_by }) : t("runCards.holdsAlways", { n: held.number })) : t(priority === null ? "runCards.none" : "runCards.noneOwn")}
          {coming.map((one) => (
            <strong key={one.id}> {t("runCards.coming", { n: one.number, since: stamp(one.valid_from ?? "", now) })}</strong>
          ))}
        </p>
      </header>
      <div className="card-columns">
        <div className="card-levels">
          {levels.map((level, index) => (
            <CardLevelForm
              key={index}
              number={index + 1}
              level={level}
              disabled={!mayEdit}
              onChange={(next) => put(levels.map((each, place) => (place === index ? next : each)))}
              onRemove={index > 0 && index === levels.length - 1 ? () => put(levels.slice(0, -1)) : undefined}
            />
          ))}
          {mayEdit && levels.length < MOST_LEVELS && (
            <Button variant="default" size="sm" leftSection={<IconPlus size={15} />} onClick={() => put([...levels, EMPTY])}>
              {t("runCards.addLevel", { n: levels.length + 1 })}
            </Button>
          )}
        </div>
        <aside className="card-side">
          {mayEdit && (
            <section className="card-publish" aria-label={t("runCards.publishTitle")}>
              <h3>{t("runCards.publishTitle")}</h3>
              {!dirty && <p className="hint">{t("runCards.unchanged")}</p>}
              {dirty && held && <Changes changes={changesOf(held.levels, levels)} />}
              <TextInput size="sm" label={t("runCards.note")} maxLength={200} value={draft.note} onChange={(event) => change({ note: event.currentTarget.value })} />
              <label className="card-since">
                {t("runCards.since")}
                <input type="datetime-local" value={draft.since} onChange={(event) => change({ since: event.currentTarget.value })} />
                <small>{draft.since ? t("runCards.sinceThen") : t("runCards.sinceNow")}</small>
              </label>
              {failure && (
                <p className="form-failure" role="alert">
                  {failure}
                </p>
              )}
              {theirs && (
                <div className="card-conflict">
                  <h4>{t("runCards.theirs", { by: theirs.made_by, n: theirs.number })}</h4>
                  <Changes changes={theirs.changes ?? []} />
                  <h4>{t("runCards.mine")}</h4>
                  <Changes changes={changesOf(theirs.levels, levels)} />
                  <Button size="xs" variant="default" onClick={() => { change({ id: newId(), seen: theirs.number, from: theirs.id }); setOther(null); setFailure(null); }}>
                    {t("runCards.keepMine")}
                  </Button>{" "}
                  <Button size="xs" variant="default" onClick={() => { discard(); setOther(null); setFailure(null); }}>
                    {t("runCards.takeTheirs")}
                  </Button>
                </div>
              )}
              <div className="card-actions">
                <Button size="sm" disabled={!dirty} loading={busy} onClick={() => void publish()}>
                  {t("runCards.publish", { n: newest + 1 })} <kbd>{"Ctrl ↵"}</kbd>
                </Button>
                {dirty && (
                  <Button size="sm" variant="default" onClick={discard}>
                    {t("runCards.discard")}
                  </Button>
                )}
              </div>
            </section>
          )}
          <Preview type={type} priority={priority ?? type.priority} levels={tidy(levels)} />
          <Trial type={type} priority={priority} levels={tidy(levels)} kept={draft.trial} onTrial={(trial) => (dirty ? change({ trial }) : undefined)} />
          <History editions={editions} now={now} mayEdit={mayEdit} onBase={base} />
        </aside>
      </div>
    </article>
  );
}

/** Lines that somebody left empty in a checklist are no steps. */
const tidy = (levels: CardLevel[]): CardLevel[] =>
  levels.map((level) => ({ ...level, tasks: level.tasks.map((task) => ({ ...task, checklist: task.checklist.map((step) => step.trim()).filter(Boolean) })) }));

/** A priority without a card of its own has an empty book. */
function orNone(error: unknown): { editions: CardEdition[] } {
  if (error instanceof Refusal && error.status === 404) return { editions: [] };
  throw error;
}

type Part = "needs" | "agencies" | "tasks" | "messages";
const NAMES: Record<Part, string> = { needs: "capability", agencies: "agency", tasks: "key", messages: "to" };

/** The same difference that the server tells of editions, for one that is not written yet. */
function changesOf(before: CardLevel[], after: CardLevel[]) {
  const parts = (level: CardLevel | undefined) => {
    const found = new Map<string, { part: Part; key: string; value: Record<string, unknown> }>();
    for (const part of Object.keys(NAMES) as Part[])
      for (const thing of (level?.[part] ?? []) as unknown as Record<string, unknown>[]) {
        const key = String(thing[NAMES[part]]);
        let place = `${part}:${key}`;
        while (found.has(place)) place += "#";
        found.set(place, { part, key, value: thing });
      }
    return found;
  };
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => {
    const [old, fresh] = [parts(before[index]), parts(after[index])];
    return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((place) => {
      const [was, is] = [old.get(place), fresh.get(place)];
      const told = was ?? is;
      if (!told || JSON.stringify(sorted(was?.value)) === JSON.stringify(sorted(is?.value))) return [];
      return [{ level: index + 1, part: told.part, key: told.key, before: was?.value ?? null, after: is?.value ?? null }];
    });
  }).flat();
}

const sorted = (thing: Record<string, unknown> | undefined) => thing && Object.entries(thing).toSorted(([a], [b]) => a.localeCompare(b));
