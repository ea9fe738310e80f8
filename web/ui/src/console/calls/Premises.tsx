import "./calls.css";
import { Button, NumberInput, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconBarrierBlock, IconDog, IconFirstAidKit, IconGasStation, IconHandStop, IconPlus, IconSword, IconWheelchair, type Icon } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { newId } from "../../lib/api";
import { liftWarning, premisesAt, premisesOf, PREMISE_KINDS, writeWarning, type PremiseKind, type PremiseWarning } from "../../lib/calls";
import { clock } from "../../lib/clock";
import { useDraft, useDraftLine } from "../../lib/drafts";
import { distance, stamp } from "../../lib/format";
import { t } from "../../lib/i18n";
import { useSecond } from "../../lib/live";
import { useRegister } from "../../lib/registers";
import { useMay } from "../../lib/session";
import { say } from "../../lib/toasts";
import type { LonLat } from "../../lib/verbs";
import { useAct } from "../useAct";

const ICONS: Record<PremiseKind, Icon> = {
  dog: IconDog, weapons: IconSword, violence: IconHandStop, hazard: IconGasStation, access: IconBarrierBlock, disability: IconWheelchair, medical: IconFirstAidKit, other: IconAlertTriangle,
};
const DAY = 86_400_000;
const LASTS: Record<string, number | null> = { day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY, always: null };

interface Props {
  at: LonLat | null;
  place: string;
  /** On an incident's card: what holds there for whoever sees it, the crew too. */
  incident?: string;
}

function useWarnings(at: LonLat | null, incident?: string) {
  const edition = useRegister("premises");
  const now = useSecond();
  const { data, isError, refetch } = useQuery({
    queryKey: ["premises", incident ?? "", at?.join() ?? "", edition],
    queryFn: () => (incident ? premisesOf(incident) : at ? premisesAt(at) : Promise.resolve([])),
    enabled: at !== null,
    placeholderData: (before, query) => (query?.queryKey[2] === at?.join() ? before : undefined), // never another place's
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
  // One that ends while it is looked at ends here too.
  const warnings = at === null ? [] : (data ?? []).filter(({ until }) => until === null || Date.parse(until) > now);
  return { warnings, told: data !== undefined, failed: isError && data === undefined, again: () => void refetch() };
}
export const usePremises = (at: LonLat | null): PremiseWarning[] => useWarnings(at).warnings;

/** What to know before going there. Written and lifted where it is seen; what has ended is not there. */
export function Premises({ at, place, incident }: Props) {
  const may = useMay("report.triage");
  const now = useSecond();
  const [writing, setWriting] = useState(false);
  const { warnings, told, failed, again } = useWarnings(at, incident);
  if (at === null || (warnings.length === 0 && !may && !failed)) return null;
  return (
    <section className={warnings.length > 0 ? "card-section premises premises-some" : "card-section premises"} aria-label={t("premises.title")}>
      <h3>
        {t("premises.title")}
        {may && !writing && (
          <button type="button" className="link-button" onClick={() => setWriting(true)}>
            <IconPlus size={14} aria-hidden /> {t("premises.add")}
          </button>
        )}
      </h3>
      {failed && (
        <p className="form-failure" role="alert">
          {t("premises.failed")}{" "}
          <button type="button" className="link-button" onClick={again}>
            {t("action.retry")}
          </button>
        </p>
      )}
      {warnings.length > 0 ? (
        <ul>
          {warnings.map((warning) => (
            <Warning key={warning.id} warning={warning} now={now} may={may} />
          ))}
        </ul>
      ) : (
        told && !writing && !incident && <p className="hint">{t("premises.none")}</p>
      )}
      {writing && <NewWarning at={at} place={place} onDone={() => setWriting(false)} />}
    </section>
  );
}

function Warning({ warning, now, may }: { warning: PremiseWarning; now: number; may: boolean }) {
  const Kind = ICONS[warning.kind];
  const queries = useQueryClient();
  const [lifting, setLifting] = useState(false);
  const [why, setWhy, discard] = useDraftLine(`premise-lift:${warning.id}`);
  const { busy, failure, act } = useAct();
  const lift = () =>
    void act(() => liftWarning(warning.id, why.trim())).then((done) => {
      if (!done) return;
      discard();
      say(t("premises.lifted"));
      void queries.invalidateQueries({ queryKey: ["premises"] });
    });
  return (
    <li className="premise">
      <Kind size={22} aria-hidden />
      <div>
        <p>
          <strong>{t(`premises.kinds.${warning.kind}`)}</strong> {warning.words}
        </p>
        <small>
          {[
            warning.zone_id ? t("premises.wholeZone") : warning.metres !== null && t("premises.at", { distance: distance(warning.metres), place: warning.place }).trim(),
            t("premises.by", { name: warning.written_by, when: stamp(warning.written_at, now) }),
            warning.until ? t("premises.until", { when: stamp(warning.until, now) }) : t("premises.always"),
            warning.sensitivity > 1 && t(`sensitivity.${warning.sensitivity}`),
          ]
            .filter(Boolean)
            .join(" · ")}
        </small>
        {lifting && (
          <div className="premise-lift">
            <TextInput size="xs" autoFocus label={t("premises.why")} value={why} maxLength={200} onChange={(event) => setWhy(event.currentTarget.value)} />
            <Button type="button" size="xs" loading={busy} onClick={lift}>
              {t("premises.lift")}
            </Button>
            <Button type="button" size="xs" variant="subtle" color="gray" onClick={() => setLifting(false)}>
              {t("action.back")}
            </Button>
          </div>
        )}
        {failure && <p className="form-failure" role="alert">{failure}</p>}
      </div>
      {may && !lifting && (
        <button type="button" className="link-button" onClick={() => setLifting(true)}>
          {t("premises.lift")}
        </button>
      )}
    </li>
  );
}

function NewWarning({ at, place, onDone }: { at: LonLat; place: string; onDone: () => void }) {
  const queries = useQueryClient();
  const [draft, change, discard] = useDraft<{ id: string; kind: PremiseKind; words: string; radius: number; lasts: string; sensitivity: string }>(
    `premise:${at.map((each) => each.toFixed(4)).join()}`,
    { id: newId(), kind: "dog", words: "", radius: 30, lasts: "month", sensitivity: "1" },
  );
  const { busy, failure, act } = useAct();
  const write = () => {
    const lasts = LASTS[draft.lasts] ?? null;
    void act(() =>
      writeWarning({
        id: draft.id, kind: draft.kind, words: draft.words.trim(), place: place.trim() || undefined, location: at, radius: draft.radius,
        sensitivity: Number(draft.sensitivity), until: lasts === null ? undefined : new Date(clock.now() + lasts).toISOString(),
      }),
    ).then((made) => {
      if (!made) return;
      discard();
      say(t("premises.written"));
      void queries.invalidateQueries({ queryKey: ["premises"] });
      onDone();
    });
  };
  return (
    <div className="premise-form">
      <Select size="sm" label={t("premises.kind")} data={PREMISE_KINDS.map((kind) => ({ value: kind, label: t(`premises.kinds.${kind}`) }))} value={draft.kind} allowDeselect={false} onChange={(kind) => kind && change({ kind })} />
      <TextInput size="sm" autoFocus label={t("premises.words")} placeholder={t("premises.example")} value={draft.words} maxLength={200} onChange={(event) => change({ words: event.currentTarget.value })} />
      <NumberInput size="sm" label={t("premises.radius")} min={5} max={2000} step={10} allowDecimal={false} clampBehavior="strict" value={draft.radius} onChange={(radius) => typeof radius === "number" && change({ radius })} />
      <Select size="sm" label={t("premises.lastsLabel")} data={Object.keys(LASTS).map((value) => ({ value, label: t(`premises.lasts.${value}`) }))} value={draft.lasts} allowDeselect={false} onChange={(lasts) => lasts && change({ lasts })} />
      <Select size="sm" label={t("premises.who")} data={["1", "2", "3"].map((value) => ({ value, label: t(`premises.reach.${value}`) }))} value={draft.sensitivity} allowDeselect={false} onChange={(sensitivity) => sensitivity && change({ sensitivity })} />
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <div className="form-buttons">
        <Button type="button" size="sm" loading={busy} disabled={draft.words.trim() === ""} onClick={write}>
          {t("premises.write")}
        </Button>
        <Button type="button" size="sm" variant="subtle" color="gray" onClick={onDone}>
          {t("action.back")}
        </Button>
      </div>
    </div>
  );
}
