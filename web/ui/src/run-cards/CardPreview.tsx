import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { explain } from "../lib/explain";
import { age } from "../lib/format";
import { t } from "../lib/i18n";
import { useCapabilities } from "../lib/resources";
import { useMay } from "../lib/session";
import { previewCard, search, type LonLat } from "../lib/verbs";
import type { CardAnswer, CardLevel, IncidentType, Level } from "../lib/wire";

type Told = { place: string; level: number; draft: CardAnswer; held: CardAnswer | null };

/** "If it happened now at …": who would go by what stands on the left, and by the card in force. */
export function Preview({ type, priority, levels }: { type: IncidentType; priority: Level; levels: CardLevel[] }) {
  const [mayDispatch, mayEdit] = [useMay("unit.dispatch"), useMay("run_card.edit")];
  const may = mayDispatch && mayEdit;
  const [words, setWords] = useState("");
  const [level, setLevel] = useState(1);
  const [found, setFound] = useState<{ label: string; at: LonLat }[]>([]);
  const [told, setTold] = useState<Told | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  if (!may) return null;

  async function show(place: { label: string; at: LonLat }) {
    setFound([]);
    setWords(place.label);
    const { draft, in_force } = await previewCard(type.code, priority, levels, Math.min(level, levels.length), place.at);
    setTold({ place: place.label, level: Math.min(level, levels.length), draft, held: in_force });
  }
  async function guard(act: () => Promise<void>) {
    setBusy(true);
    setFailure(null);
    try {
      await act();
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  }
  const look = (event: FormEvent) => {
    event.preventDefault();
    if (!words.trim()) return;
    void guard(async () => {
      const { matches, sure } = await search(words.trim(), [undefined, undefined]);
      const places = matches.slice(0, 5).map(({ label, location }) => ({ label, at: location.coordinates as LonLat }));
      if (places[0] && (sure || places.length === 1)) await show(places[0]);
      else if (places.length > 0) setFound(places);
      else setFailure(t("runCards.noPlace"));
    });
  };
  return (
    <section className="card-preview">
      <h3>{t("runCards.preview")}</h3>
      <form onSubmit={look}>
        <TextInput size="sm" aria-label={t("runCards.previewPlace")} placeholder={t("runCards.previewPlace")} maxLength={200} value={words} onChange={(event) => setWords(event.currentTarget.value)} />
        {levels.length > 1 && (
          <select aria-label={t("runCards.previewLevel")} value={level} onChange={(event) => setLevel(Number(event.currentTarget.value))}>
            {levels.map((_, index) => (
              <option key={index} value={index + 1}>
                {t("tasks.level", { n: index + 1 })}
              </option>
            ))}
          </select>
        )}
        <Button type="submit" size="sm" variant="default" loading={busy}>
          {t("runCards.previewShow")}
        </Button>
      </form>
      {found.length > 0 && (
        <ul className="preview-places">
          {found.map((place) => (
            <li key={place.label}>
              <button type="button" className="link-button" onClick={() => void guard(() => show(place))}>
                {place.label}
              </button>
            </li>
          ))}
        </ul>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {told && (
        <div role="status">
          <p className="hint">{t("runCards.previewAt", { place: told.place, n: told.level })}</p>
          <Answer answer={told.draft} />
          {told.held && <Compared draft={told.draft} held={told.held} />}
        </div>
      )}
    </section>
  );
}

function Answer({ answer }: { answer: CardAnswer }) {
  const names = new Map(useCapabilities().map(({ code, name }) => [code, name]));
  if (answer.needs.length === 0) return <p>{t("runCards.nobodyGoes")}</p>;
  return (
    <ul className="preview-needs">
      {answer.needs.map(({ capability, count, kind, units, short }, index) => (
        <li key={index} className={kind === "reserve" ? "need-reserve" : undefined}>
          <span>
            {names.get(capability) ?? capability}
            {count > 1 && ` ×${count}`}
            {kind !== "required" && <small> {t(`runCards.kind.${kind}`).toLowerCase()}</small>}
          </span>
          <span>
            {units.map((unit) => (
              <strong key={unit.unit_id}>
                {unit.call_sign} {unit.seconds !== null && <small>{age(unit.seconds * 1000)}</small>}
              </strong>
            ))}
            {short && <em className="late">{t("runCards.short", { count: short.count })}</em>}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What is otherwise than by the card in force. */
function Compared({ draft, held }: { draft: CardAnswer; held: CardAnswer }) {
  const come = draft.units.filter((unit) => !held.units.includes(unit));
  const gone = held.units.filter((unit) => !draft.units.includes(unit));
  if (come.length + gone.length === 0) return <p className="hint">{t("runCards.sameUnits")}</p>;
  return (
    <p className="compared">
      {come.length > 0 && <ins>{t("runCards.alsoGo", { units: come.join(", ") })}</ins>} {gone.length > 0 && <del>{t("runCards.noLongerGo", { units: gone.join(", ") })}</del>}
    </p>
  );
}
