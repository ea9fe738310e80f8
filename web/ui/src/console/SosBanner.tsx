import "./dispatching.css";
import { Button, TextInput } from "@mantine/core";
import { IconAlertOctagon } from "@tabler/icons-react";
import { useState } from "react";
import type { Placed } from "../lib/board";
import { useDraftLine } from "../lib/drafts";
import { age, distance, hourSeconds, metresBetween, running } from "../lib/format";
import { t } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say, undoOf } from "../lib/toasts";
import { answerSos, falseAlarm } from "../lib/verbs";
import type { Sos } from "../lib/wire";
import { select, stage } from "./desk";
import { useAct } from "./useAct";

const NEAREST = 3;

/** A crew in danger: over everything, in every console, until it is over. No filter and no key hides it. */
export function SosBanner() {
  useBoard();
  const live = board.sos();
  if (live.length === 0) return null;
  return (
    <section className="sos-strip" aria-label={t("sos.title")}>
      {live.map((sos) => (
        <Danger key={sos.id} sos={sos} />
      ))}
    </section>
  );
}

function Danger({ sos }: { sos: Placed<Sos> }) {
  const now = useSecond();
  const may = useMay("alarm.answer");
  const { busy, failure, act } = useAct();
  const [asking, setAsking] = useState(false);
  const [reason, setReason, discard] = useDraftLine(`sos:${sos.id}`);
  const at = placeNow(sos);
  const show = () => {
    select(`incident:${sos.incident_id}`);
    if (at) stage.map?.goTo(at);
  };
  return (
    <div className={`sos sos-${sos.status}`} role="alert">
      <IconAlertOctagon size={34} aria-hidden />
      <p className="sos-who">
        <strong>{t("sos.of", { unit: sos.call_sign })}</strong>
        <span className="sos-age">{running(now - Date.parse(sos.raised_at))}</span>
      </p>
      <p className="sos-where">
        <b>{sos.place || t("sos.noPlace")}</b>
        <small>{whereFrom(sos, now)}</small>
        {sos.message && <q>{sos.message}</q>}
      </p>
      <p className="sos-near">
        {t("sos.nearest")} {nearest(sos, at).map(({ unit, metres }) => `${unit} ${distance(metres)}`).join(" · ") || t("sos.nobodyNear")}
      </p>
      <div className="sos-acts">
        {sos.answered_at ? (
          <span className="sos-answered">{t("sos.answeredBy", { by: sos.answered_by ?? "", hour: hourSeconds(sos.answered_at) })}</span>
        ) : (
          may && (
            <button type="button" className="sos-answer" disabled={busy} onClick={() => void act(() => answerSos(sos.id)).then((done) => done && show())}>
              {t("sos.answer")}
            </button>
          )
        )}
        <button type="button" onClick={show}>
          {t("sos.show", { code: sos.incident_code })}
        </button>
        {may && !asking && (
          <button type="button" onClick={() => setAsking(true)}>
            {t("sos.falseAlarm")}
          </button>
        )}
      </div>
      {asking && (
        <form
          className="sos-reason"
          onSubmit={(event) => {
            event.preventDefault();
            if (!reason.trim()) return;
            void act(() => falseAlarm(sos.id, reason.trim())).then((done) => {
              if (!done) return;
              discard();
              say(t("sos.wasFalse", { unit: sos.call_sign }), undoOf(done));
            });
          }}
        >
          <TextInput autoFocus label={t("sos.falseWhy")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button type="submit" size="sm" loading={busy} disabled={!reason.trim()}>
            {t("sos.falseAlarm")}
          </Button>
          <Button size="sm" variant="default" onClick={() => setAsking(false)}>
            {t("action.back")}
          </Button>
        </form>
      )}
      {failure && <span className="sos-failure">{failure}</span>}
    </div>
  );
}

/** Where the unit is by now, if it still tells; else where it was when it called. */
function placeNow(sos: Placed<Sos>): [number, number] | null {
  const seen = board.positions.get(sos.unit_id);
  return seen && seen.fixedAt >= Date.parse(sos.raised_at) ? [seen.lon, seen.lat] : sos.at;
}

function whereFrom(sos: Sos, now: number): string {
  if (sos.located === "position" && sos.fixed_at) return t("sos.located.position", { age: age(now - Date.parse(sos.fixed_at)) });
  return t(`sos.located.${sos.located}`);
}

function nearest(sos: Sos, at: [number, number] | null): { unit: string; metres: number }[] {
  if (!at) return [];
  return board
    .units()
    .filter(({ id, status }) => id !== sos.unit_id && status !== "out_of_service")
    .flatMap(({ id, call_sign }) => {
      const seen = board.positions.get(id);
      return seen ? [{ unit: call_sign, metres: metresBetween(at, [seen.lon, seen.lat]) }] : [];
    })
    .sort((a, b) => a.metres - b.metres)
    .slice(0, NEAREST);
}
