import { Button, TextInput } from "@mantine/core";
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
import { useCapabilities } from "../lib/resources";
import { needsOf, needWords, upTo, useRunCard } from "../lib/runCards";
import { say, undoOf } from "../lib/toasts";
import { UnitPill } from "../lib/ui/UnitPill";
import { proposed } from "../lib/recommendation";
import type { Incident, NeedAnswer, Option, Unit } from "../lib/wire";
import { dispatchAsking } from "./BusyDialog";
import { NeedHead, PickWhy, ToAsk, Trades, useLost, WhyNot } from "./Recommendation";
import { useEtas, type Roads } from "./useEtas";
import { useRecommendation } from "./useRecommendation";
import { useRoute } from "./useRoute";

const SHOWN = 9;
const SHOWN_WHEN_ANSWERED = 3;
const REORDER_EVERY = 10_000;

type Sent = { state: "sending" } | { state: "sent"; at: number } | { state: "refused"; why: string; id?: string };

/** What is to be sent in one act: a unit, for what, and whether it leaves something for it. */
interface Wanted {
  unit_id: string;
  call_sign: string;
  need?: string;
  on_busy?: "release";
  override?: string;
}

/**
 * Whom to send: what the run card asks for, ticked; a digit sends one, Ctrl+Enter all that are ticked, in one act. Below them is anybody
 * else who is free. Not optimistic: a unit is "sent" when the server said so. The order stands still for ten seconds and under the pointer,
 * so that a digit always means the unit that was read.
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
  const capabilities = useCapabilities();
  const card = useRunCard(incident.type_code, incident.priority);
  const levels = upTo(card, incident.alarm_level);
  const needed = needsOf(card, incident.alarm_level);
  const searching = query !== "";
  const { state: asked, told } = useRecommendation(incident, hover || searching);
  const roads = useEtas(incident.at);
  const picks = told && !searching ? proposed(told) : [];
  const [unticked, setUnticked] = useState<ReadonlySet<string>>(new Set());
  const ranked = useRanked(incident, needed.map(({ capability }) => capability), hover || searching, roads).filter(({ unit }) => !picks.some(({ pick }) => pick.unit_id === unit.id));
  const pointAt = useRoute(incident.at);
  const pointAtLost = useLost();
  const found = ranked.filter(({ unit }) => matches(query, unit.call_sign, word("kind", unit.kind), unit.organization, unit.capabilities.join(" ")));
  // Once somebody goes, the list makes room for the story; one press brings it back whole.
  const many = all || query !== "" || incident.assignments.length === 0 ? SHOWN : SHOWN_WHEN_ANSWERED;
  const waiting = asked === "asking" && !searching;
  const shown = waiting ? [] : found.slice(0, Math.max(SHOWN_WHEN_ANSWERED, many - picks.length));
  const now = useSecond();
  // Why a unit did not go outlives its row, which leaves the list with the next order.
  const listed = new Set([...shown.map(({ unit }) => unit.id), ...picks.map(({ pick }) => pick.unit_id)]);
  const refusals = Object.entries(sent).flatMap(([id, state]) => (state.state === "refused" && !listed.has(id) ? [{ id, why: state.why }] : []));

  const isFree = (id: string, takenFrom: string | null): boolean => {
    const status = board.get<Unit>(`unit:${id}`)?.status;
    return status === "available" || (takenFrom !== null && status !== undefined);
  };
  const isHeld = (id: string): boolean => sent[id]?.state === "sending" || sent[id]?.state === "sent";
  const wantedOf = ({ need, pick }: { need: NeedAnswer; pick: Option }): Wanted => ({
    unit_id: pick.unit_id,
    call_sign: pick.call_sign,
    need: need.capability,
    on_busy: pick.taken_from === null ? undefined : "release",
  });
  const ticked = picks.filter(({ need, pick }) => need.ticked !== unticked.has(pick.unit_id) && isFree(pick.unit_id, pick.taken_from) && !isHeld(pick.unit_id));

  /** All of them or none. The same ids when the same press is repeated after a silence: it is done once. */
  async function send(some: Wanted[]): Promise<boolean> {
    if (some.length === 0 || some.some(({ unit_id }) => isHeld(unit_id))) return false;
    const mark = (state: Sent) => setSent((all) => ({ ...all, ...Object.fromEntries(some.map(({ unit_id }) => [unit_id, state])) }));
    const idOf = (of: string): string => {
      const id = ids.current.get(of) ?? newId();
      ids.current.set(of, id);
      return id;
    };
    const acts = some.map(({ unit_id, need, on_busy, override }) => ({ id: idOf(unit_id), unit_id, need, on_busy, override }));
    const act = acts.map(({ id }) => id).join();
    const forget = () => [act, ...some.map(({ unit_id }) => unit_id)].forEach((of) => ids.current.delete(of));
    mark({ state: "sending" });
    try {
      const made = await dispatchAsking(incident.id, acts.length > 1 ? idOf(act) : (acts[0]?.id ?? newId()), acts);
      forget();
      mark({ state: "sent", at: clock.now() });
      say(t("dispatch.sentTo", { unit: some.map(({ call_sign }) => call_sign).join(", "), code: incident.code }), undoOf(made));
      return true;
    } catch (error) {
      if (!(error instanceof Refusal && error.unreachable)) forget();
      mark({ state: "refused", why: whyNot(error) });
      return false;
    }
  }
  const sendCandidate = (candidate: Candidate | undefined) =>
    candidate && candidate.unit.status === "available" && void send([{ unit_id: candidate.unit.id, call_sign: candidate.unit.call_sign }]);
  const sendPick = (picked: { need: NeedAnswer; pick: Option }) => isFree(picked.pick.unit_id, picked.pick.taken_from) && void send([wantedOf(picked)]);

  useKey("d", () => {
    setAll(true);
    filter.current?.focus();
  });
  useDigits((index) => {
    const picked = picks[index];
    if (picked) sendPick(picked);
    else sendCandidate(shown[index - picks.length]);
  });
  useKey("ctrl+enter", () => void send(ticked.map(wantedOf)), ticked.length > 0);
  const numbered = new Map(picks.map(({ pick }, n) => [pick.unit_id, n + 1]));

  return (
    <section className="card-section dispatch" onPointerEnter={() => setHover(true)} onPointerLeave={() => setHover(false)}>
      <h3>
        {t("dispatch.title")} <kbd>{"D"}</kbd>
        <small>{waysIn(roads)}</small>
      </h3>
      {!told && levels.length > 0 && (
        <p className="run-card">
          <span>{t(incident.alarm_level > 1 ? "runCards.upTo" : "dispatch.firstCard", { n: incident.alarm_level })}</span>
          {needed.map((need, index) => (
            <span key={`${index}-${need.capability}`} className={`agency agency-${need.kind}`} title={t(`runCards.kind.${need.kind}`)}>
              {needWords(need, (code) => capabilities.find((each) => each.code === code)?.name ?? code)}
            </span>
          ))}
          {levels.flatMap(({ agencies: asks }, level) =>
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
      {waiting && <p className="hint dispatch-waiting">{t("recommend.asking")}</p>}
      {asked === "failed" && <p className="hint">{t("recommend.failed")}</p>}
      {told && !searching && (
        <>
          {told.needs.map((need, n) => (
            <div key={n}>
              <NeedHead need={need} />
              {need.picks.length > 0 && (
                <ol className="candidates">
                  {need.picks.map((pick) => {
                    const unit = board.get<Unit>(`unit:${pick.unit_id}`);
                    const state = sent[pick.unit_id];
                    const free = isFree(pick.unit_id, pick.taken_from);
                    return (
                      <li
                        key={pick.unit_id}
                        className="pick"
                        onPointerEnter={() => (pointAt(pick.unit_id), pointAtLost(pick.leaves ? pick.unit_id : null))}
                        onPointerLeave={() => (pointAt(null), pointAtLost(null))}
                        onFocus={() => pointAt(pick.unit_id)}
                        onBlur={() => pointAt(null)}
                      >
                        <input
                          type="checkbox"
                          aria-label={t("recommend.tick", { unit: pick.call_sign })}
                          checked={need.ticked !== unticked.has(pick.unit_id)}
                          disabled={!free || isHeld(pick.unit_id)}
                          onChange={() => setUnticked((held) => new Set(held.has(pick.unit_id) ? [...held].filter((id) => id !== pick.unit_id) : [...held, pick.unit_id]))}
                        />
                        <button type="button" disabled={!free || isHeld(pick.unit_id)} onClick={() => sendPick({ need, pick })}>
                          <kbd>{numbered.get(pick.unit_id)}</kbd>
                          <UnitPill status={unit?.status ?? "available"} />
                          <strong>{pick.call_sign}</strong>
                          <span className="candidate-kind">
                            {word("kind", pick.kind)}
                            {pick.position_age_s !== null && pick.position_age_s * 1000 >= AGE_SHOWN_AFTER && <small>{t("dispatch.oldPosition", { age: age(pick.position_age_s * 1000) })}</small>}
                          </span>
                          <FarAway {...(pick.reasons.some(({ code }) => code === "remote") ? fromAfar() : farOf({ eta: { ...pick, why: null, snap_m: null }, metres: null }))} />
                        </button>
                        <PickWhy pick={pick} />
                        {state && <SentState state={state} />}
                        {!state && !free && <span className="candidate-state">{t("dispatch.taken", { code: unit?.incident_code ?? "" })}</span>}
                      </li>
                    );
                  })}
                </ol>
              )}
            </div>
          ))}
          <ToAsk told={told} />
          <Trades told={told} />
          {picks.length > 0 && (
            <div className="send-ticked">
              <Button size="sm" disabled={ticked.length === 0 || offline} onClick={() => void send(ticked.map(wantedOf))}>
                {t("recommend.send", { count: ticked.length })} <kbd>{t("recommend.sendKey")}</kbd>
              </Button>
              {ticked.length > 0 && <span className="hint">{ticked.map(({ pick }) => pick.call_sign).join(", ")}</span>}
            </div>
          )}
          <WhyNot told={told} onOverride={(unit_id, need, override) => send([{ unit_id, call_sign: callSign(unit_id), need, override }])} />
          {shown.length > 0 && <p className="others-head">{t("recommend.others")}</p>}
        </>
      )}
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
            sendCandidate(shown[0]);
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
      {waiting ? null : shown.length === 0 ? (
        <p className="card-empty">{t(ranked.length === 0 ? "dispatch.nobody" : "dispatch.noMatch")}</p>
      ) : (
        <ol className="candidates">
          {shown.map((candidate, index) => {
            const { unit, fixedAt, onCard } = candidate;
            const state = sent[unit.id];
            const taken = unit.status !== "available" && state?.state !== "sent";
            return (
              <li key={unit.id} onPointerEnter={() => pointAt(unit.id)} onPointerLeave={() => pointAt(null)} onFocus={() => pointAt(unit.id)} onBlur={() => pointAt(null)}>
                <button type="button" disabled={taken || state?.state === "sending" || state?.state === "sent"} onClick={() => sendCandidate(candidate)}>
                  {index + picks.length < 9 ? <kbd>{index + picks.length + 1}</kbd> : <span />}
                  <UnitPill status={unit.status} />
                  <strong>{unit.call_sign}</strong>
                  <span className="candidate-kind">
                    {onCard && <IconCheck size={15} aria-label={t("dispatch.onCard")} />}
                    {word("kind", unit.kind)}
                    {fixedAt !== null && now - fixedAt >= AGE_SHOWN_AFTER && <small>{t("dispatch.oldPosition", { age: age(now - fixedAt) })}</small>}
                  </span>
                  <FarAway {...farOf(candidate)} />
                </button>
                {state && <SentState state={state} />}
                {!state && taken && <span className="candidate-state">{t("dispatch.taken", { code: unit.incident_code ?? "" })}</span>}
              </li>
            );
          })}
        </ol>
      )}
      {!waiting && found.length > many &&
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

function SentState({ state }: { state: Sent }) {
  return (
    <span className={`candidate-state candidate-${state.state}`} role={state.state === "refused" ? "alert" : "status"}>
      {state.state === "sending" ? t("dispatch.sending") : state.state === "sent" ? t("dispatch.sent", { hour: hourSeconds(state.at) }) : state.why}
    </span>
  );
}

const callSign = (unit: string): string => board.get<Unit>(`unit:${unit}`)?.call_sign ?? "";

/** It serves from where it is: there is no way to go. */
const fromAfar = (): Far => ({ main: t("eta.remote"), note: null, how: "road" });

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
