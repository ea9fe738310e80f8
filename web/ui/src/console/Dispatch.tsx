import { TextInput } from "@mantine/core";
import { IconCheck, IconSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { newId, Refusal } from "../lib/api";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { clock } from "../lib/clock";
import { explain } from "../lib/explain";
import { farOf, type Far } from "../lib/etas";
import { age, ago, hourSeconds, metresBetween } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useDigits, useKey } from "../lib/keys";
import { board, useBoard, useLink, useSecond } from "../lib/live";
import { AGE_SHOWN_AFTER, candidates, matches, type Candidate } from "../lib/queue";
import { needsOf, needWords, upTo, useRunCard } from "../lib/runCards";
import { say, undoOf } from "../lib/toasts";
import { UnitPill } from "../lib/ui/UnitPill";
import { dispatch } from "../lib/verbs";
import type { Incident, Unit } from "../lib/wire";
import { useEtas, type Roads } from "./useEtas";
import { useRoute } from "./useRoute";

const SHOWN = 9;
const SHOWN_WHEN_ANSWERED = 3;
const REORDER_EVERY = 10_000;

type Sent = { state: "sending" } | { state: "sent"; at: number } | { state: "refused"; why: string; id?: string };

/**
 * Who could go. Not optimistic: a unit is "sent" when the server said so. The order stands still for ten seconds and under the pointer, so
 * that a digit always means the unit that was read.
 */
export function Dispatch({ incident }: { incident: Placed<Incident> }) {
  const [query, setQuery] = useState("");
  const [hover, setHover] = useState(false);
  const [all, setAll] = useState(false);
  const [sent, setSent] = useState<Record<string, Sent>>({});
  const filter = useRef<HTMLInputElement>(null);
  const ids = useRef(new Map<string, string>());
  const offline = useLink((state) => state.name === "offline");
  const { agencies } = useCatalogue();
  const card = useRunCard(incident.type_code, incident.priority);
  const asked = upTo(card, incident.alarm_level);
  const needed = needsOf(card, incident.alarm_level);
  const roads = useEtas(incident.at);
  const ranked = useRanked(incident, needed.map(({ capability }) => capability), hover || query !== "", roads);
  const pointAt = useRoute(incident.at);
  const found = ranked.filter(({ unit }) => matches(query, unit.call_sign, word("kind", unit.kind), unit.organization, unit.capabilities.join(" ")));
  // Once somebody goes, the list makes room for the story; one press brings it back whole.
  const many = all || query !== "" || incident.assignments.length === 0 ? SHOWN : SHOWN_WHEN_ANSWERED;
  const shown = found.slice(0, many);
  const now = useSecond();
  // Why a unit did not go outlives its row, which leaves the list with the next order.
  const listed = new Set(shown.map(({ unit }) => unit.id));
  const refusals = Object.entries(sent).flatMap(([id, state]) => (state.state === "refused" && !listed.has(id) ? [{ id, why: state.why }] : []));

  async function send(candidate: Candidate | undefined) {
    if (!candidate) return;
    const { unit } = candidate;
    const held = sent[unit.id];
    if (held?.state === "sending" || held?.state === "sent" || unit.status !== "available") return;
    const mark = (state: Sent) => setSent((all) => ({ ...all, [unit.id]: state }));
    // The same id when the same press is repeated after a silence: it is done once.
    const id = ids.current.get(unit.id) ?? newId();
    ids.current.set(unit.id, id);
    mark({ state: "sending" });
    try {
      const made = await dispatch(incident.id, id, [{ id, unit_id: unit.id }]);
      ids.current.delete(unit.id);
      mark({ state: "sent", at: clock.now() });
      say(t("dispatch.sentTo", { unit: unit.call_sign, code: incident.code }), undoOf(made));
    } catch (error) {
      if (!(error instanceof Refusal && error.unreachable)) ids.current.delete(unit.id);
      mark({ state: "refused", why: whyNot(error) });
    }
  }

  useKey("d", () => {
    setAll(true);
    filter.current?.focus();
  });
  useDigits((index) => void send(shown[index]));

  return (
    <section className="card-section dispatch" onPointerEnter={() => setHover(true)} onPointerLeave={() => setHover(false)}>
      <h3>
        {t("dispatch.title")} <kbd>{"D"}</kbd>
        <small>{waysIn(roads)}</small>
      </h3>
      {asked.length > 0 && (
        <p className="run-card">
          <span>{t(incident.alarm_level > 1 ? "runCards.upTo" : "dispatch.firstCard", { n: incident.alarm_level })}</span>
          {needed.map((need, index) => (
            <span key={`${index}-${need.capability}`} className={`agency agency-${need.kind}`} title={t(`runCards.kind.${need.kind}`)}>
              {needWords(need)}
            </span>
          ))}
          {asked.flatMap(({ agencies: asks }, level) =>
            asks.map(({ agency, count, note }) => (
              <span key={`${level}-${agency}`} className="agency agency-asked" title={[t("dispatch.askedTitle"), note].filter(Boolean).join(": ")}>
                {agencies.find(({ code }) => code === agency)?.name ?? agency}
                {count > 1 && ` ×${count}`}
              </span>
            )),
          )}
        </p>
      )}
      {card === null && <p className="hint">{t("runCards.none")}</p>}
      {offline && <p className="form-failure">{t("dispatch.byRadio")}</p>}
      <TextInput
        ref={filter}
        size="sm"
        aria-label={t("dispatch.filter")}
        placeholder={t("dispatch.filter")}
        leftSection={<IconSearch size={15} />}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            void send(shown[0]);
          }
          if (event.key === "Escape") {
            event.stopPropagation();
            event.nativeEvent.stopImmediatePropagation();
            if (query) setQuery("");
            else event.currentTarget.blur();
          }
        }}
      />
      {refusals.map(({ id, why }) => (
        <p key={id} className="form-failure" role="alert">
          {why}
        </p>
      ))}
      {shown.length === 0 ? (
        <p className="card-empty">{t(ranked.length === 0 ? "dispatch.nobody" : "dispatch.noMatch")}</p>
      ) : (
        <ol className="candidates">
          {shown.map((candidate, index) => {
            const { unit, fixedAt, onCard } = candidate;
            const state = sent[unit.id];
            const taken = unit.status !== "available" && state?.state !== "sent";
            return (
              <li key={unit.id} onPointerEnter={() => pointAt(unit.id)} onPointerLeave={() => pointAt(null)} onFocus={() => pointAt(unit.id)} onBlur={() => pointAt(null)}>
                <button type="button" disabled={taken || state?.state === "sending" || state?.state === "sent"} onClick={() => void send(candidate)}>
                  <kbd>{index + 1}</kbd>
                  <UnitPill status={unit.status} />
                  <strong>{unit.call_sign}</strong>
                  <span className="candidate-kind">
                    {onCard && <IconCheck size={15} aria-label={t("dispatch.onCard")} />}
                    {word("kind", unit.kind)}
                    {fixedAt !== null && now - fixedAt >= AGE_SHOWN_AFTER && <small>{t("dispatch.oldPosition", { age: age(now - fixedAt) })}</small>}
                  </span>
                  <FarAway {...farOf(candidate)} />
                </button>
                {state && (
                  <span className={`candidate-state candidate-${state.state}`} role={state.state === "refused" ? "alert" : "status"}>
                    {state.state === "sending" ? t("dispatch.sending") : state.state === "sent" ? t("dispatch.sent", { hour: hourSeconds(state.at) }) : state.why}
                  </span>
                )}
                {!state && taken && <span className="candidate-state">{t("dispatch.taken", { code: unit.incident_code ?? "" })}</span>}
              </li>
            );
          })}
        </ol>
      )}
      {found.length > many &&
        (many < SHOWN ? (
          <button type="button" className="link-button" onClick={() => setAll(true)}>
            {t("dispatch.showMore")}
          </button>
        ) : (
          <p className="hint">{t("dispatch.more", { count: found.length - many })}</p>
        ))}
    </section>
  );
}

/** How long, and what that rests on: nobody takes a straight line for a way. */
function FarAway({ main, note, how }: Far) {
  return (
    <span className={`candidate-far candidate-far-${how}`}>
      {main}
      {note && <small>{note}</small>}
    </span>
  );
}

function waysIn({ state, closures }: Roads): string {
  if (state === "road") return closures > 0 ? t("eta.byRoadClosures", { count: closures }) : t("eta.byRoad");
  return state === "asking" ? t("eta.asking") : t(state === "offline" ? "eta.straightOffline" : "eta.straightFailed");
}

/** 409 names who holds the unit, since when and by whose hand. */
function whyNot(error: unknown): string {
  if (error instanceof Refusal && error.problem.code === "UnitAlreadyAssigned") {
    const { call_sign, incident_code, since, by } = (error.problem.facts ?? {}) as Record<string, string | undefined>;
    if (call_sign && incident_code)
      return t("dispatch.holds", { unit: call_sign, code: incident_code, since: since ? ago(since, clock.now()) : "", by: by ?? t("timeline.someone") });
  }
  return explain(error);
}

function useRanked(incident: Placed<Incident>, card: string[], still: boolean, roads: Roads): Candidate[] {
  const revision = useBoard();
  const beat = Math.floor(useSecond() / REORDER_EVERY);
  const key = `${incident.id}:${incident.at?.join() ?? ""}:${card.join()}`;
  const [held, setHeld] = useState<{ key: string; order: string[] } | null>(null);

  const fresh = useMemo(
    () => {
      void revision;
      void beat;
      return candidates(board.units(), incident.at, board.positions, card, metresBetween, roads.etas);
    },
    // `key` stands for the incident's place and the card.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [revision, beat, key, roads.etas],
  );
  const told = roads.state === "road";
  const stillNow = useRef(still);
  useEffect(() => {
    stillNow.current = still;
  });
  useEffect(() => {
    if (!stillNow.current || held?.key !== key) setHeld({ key, order: fresh.map(({ unit }) => unit.id) });
    // Only when the place changes, the first times by road are there, or the ten seconds are over: not with every line.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, beat, told]);

  if (held?.key !== key) return fresh;
  const now = new Map(fresh.map((candidate) => [candidate.unit.id, candidate]));
  const kept = held.order.flatMap((id): Candidate[] => {
    const candidate = now.get(id);
    if (candidate) return [candidate];
    const unit = board.get<Unit>(`unit:${id}`);
    const mine = unit && incident.assignments.some(({ unit_id }) => unit_id === id);
    return unit && !mine ? [{ unit, metres: null, eta: null, fixedAt: null, onCard: false }] : [];
  });
  const known = new Set(held.order);
  return [...kept, ...fresh.filter(({ unit }) => !known.has(unit.id))];
}
