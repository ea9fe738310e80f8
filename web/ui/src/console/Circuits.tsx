import "./storm.css";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCheck, IconRoute, IconX } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { newId } from "../lib/api";
import { explain } from "../lib/explain";
import { useDraftLine } from "../lib/drafts";
import { ago, distance, hour, placeLine } from "../lib/format";
import { has, t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { dropStop, mayStandBehind, moveStop, progress, type Draft, type DraftStop } from "../lib/storm";
import { say } from "../lib/toasts";
import { callOffCircuit, giveCircuit, skipStop, stormPlan } from "../lib/verbs";
import type { Circuit, CircuitStop, Incident, LeftOutWhy, PlanStop, StormPlan } from "../lib/wire";
import { CardHead } from "./CardHead";
import { openForm, select } from "./desk";
import { useAct } from "./useAct";
import { useLoad, useRound } from "./useStorm";

/** A proposal while it is looked at; it outlives a look at one of its stops. */
interface Proposal {
  at: string;
  /** How many there were before any was given or emptied. */
  planned: number;
  drafts: Draft[];
  leftOut: (PlanStop & { why: LeftOutWhy | "dropped" })[];
  zones: StormPlan["zones"];
}

const KEPT = 30 * 60_000;
const KEY = ["storm-plan"];

async function propose(): Promise<Proposal> {
  const plan = await stormPlan();
  return {
    at: plan.at,
    planned: plan.circuits.length,
    leftOut: plan.left_out,
    zones: plan.zones,
    drafts: plan.circuits.map((circuit) => ({ ...circuit, id: newId(), stops: circuit.stops.map(({ arrives_seconds, ...stop }) => ({ ...stop, arrives: arrives_seconds })) })),
  };
}

/** Still waiting, as far as this screen sees it: what somebody answered meanwhile is not given. */
const stillWaits = (stop: PlanStop): boolean => {
  const incident = board.get<Incident>(`incident:${stop.incident_id}`);
  return incident !== null && mayStandBehind(incident);
};

const positionOf = (unit: string): [number, number] | null => {
  const position = board.positions.get(unit);
  return position ? [position.lon, position.lat] : null;
};

const minutes = (seconds: number): string => t("storm.circuits.minutes", { n: Math.max(1, Math.round(seconds / 60)) });

/** Crews go round: what is under way, and what could be given now. */
export function Circuits() {
  useBoard();
  const mayGive = useMay("unit.dispatch");
  const queries = useQueryClient();
  const { data: load } = useLoad();
  const { data, error, isFetching, refetch } = useQuery({ queryKey: KEY, queryFn: propose, enabled: false, gcTime: KEPT, retry: 0 });
  const [shown, setShown] = useState<string | null>(null);
  const circuits = board.circuits().sort((one, other) => one.call_sign.localeCompare(other.call_sign, "es", { numeric: true }));
  const change = (next: (held: Proposal) => Proposal) => queries.setQueryData<Proposal>(KEY, (held) => held && next(held));

  const going = circuits.find(({ id }) => id === shown);
  const drafted = data?.drafts.find(({ id }) => id === shown);
  const stops = going
    ? going.stops.flatMap(({ at, state }, place) => (at ? [{ at, label: String(place + 1), over: state === "done" || state === "skipped" }] : []))
    : (drafted?.stops.map(({ at }, place) => ({ at, label: String(place + 1) })) ?? null);
  const unit = going?.unit_id ?? drafted?.unit_id;
  useRound(stops, unit ? positionOf(unit) : null, true);

  return (
    <>
      <CardHead mark={<IconRoute size={26} aria-hidden />} title={t("storm.circuits.title")} code={t("storm.circuits.what")} onClose={() => openForm(null)} />
      {circuits.length > 0 && (
        <section className="card-section" aria-label={t("storm.circuits.going")}>
          <h3>{t("storm.circuits.going")}</h3>
          {circuits.map((circuit) => (
            <Going key={circuit.id} circuit={circuit} may={mayGive} shown={shown === circuit.id} onShow={(on) => setShown(on ? circuit.id : null)} />
          ))}
        </section>
      )}
      {mayGive && (
        <section className="card-section" aria-label={t("storm.circuits.proposed")}>
          <h3>
            {t("storm.circuits.proposed")}
            {data && <small>{t("storm.circuits.of", { hour: hour(data.at) })}</small>}
          </h3>
          <div className="form-buttons">
            <Button size="sm" variant={data && data.drafts.length > 0 ? "default" : "filled"} loading={isFetching} onClick={() => void refetch()}>
              {t(data ? "storm.circuits.again" : "storm.circuits.propose")}
            </Button>
            {data && data.drafts.length > 1 && <GiveAll drafts={data.drafts} onGiven={(id) => change((held) => ({ ...held, drafts: held.drafts.filter((each) => each.id !== id) }))} />}
          </div>
          {error && !isFetching && (
            <p className="form-failure" role="alert">
              {explain(error)}
            </p>
          )}
          {isFetching && <p className="hint" role="status">{t("storm.circuits.thinking")}</p>}
          {data?.drafts.length === 0 && !isFetching && <p className="card-empty">{t(data.planned > 0 ? "storm.circuits.noMore" : data.leftOut.length > 0 ? "storm.circuits.noneFits" : "storm.circuits.nothing")}</p>}
          {data?.drafts.map((draft) => (
            <Proposed
              key={draft.unit_id}
              draft={draft}
              shown={shown === draft.id}
              onShow={(on) => setShown(on ? draft.id : null)}
              onChange={(next, dropped) => {
                change((held) => ({
                  ...held,
                  drafts: held.drafts.flatMap((each) => (each.id !== draft.id ? [each] : next.stops.length > 0 ? [next] : [])),
                  leftOut: dropped ? [{ ...dropped, why: "dropped" }, ...held.leftOut] : held.leftOut,
                }));
                setShown(next.id);
              }}
              onGiven={() => change((held) => ({ ...held, drafts: held.drafts.filter((each) => each.id !== draft.id) }))}
            />
          ))}
          {data && <Fairness proposal={data} share={load?.policy.zone_share} longest={load?.policy.longest_wait_minutes} />}
          {data && data.leftOut.length > 0 && <LeftOut stops={data.leftOut} />}
        </section>
      )}
    </>
  );
}

function GiveAll({ drafts, onGiven }: { drafts: Draft[]; onGiven: (id: string) => void }) {
  const { busy, failure, act } = useAct();
  const give = () =>
    void act(async () => {
      for (const draft of drafts) {
        const stops = draft.stops.filter(stillWaits);
        if (stops.length === 0) continue;
        await giveCircuit(draft.id, draft.unit_id, stops.map(({ incident_id }) => incident_id));
        onGiven(draft.id);
      }
      say(t("storm.circuits.givenAll", { count: drafts.length }));
    });
  return (
    <>
      <Button size="sm" loading={busy} onClick={give}>
        {t("storm.circuits.giveAll", { count: drafts.length })}
      </Button>
      {failure && (
        <p className="form-failure" role="alert">
          {t("storm.circuits.stopped", { why: failure })}
        </p>
      )}
    </>
  );
}

/** Under the pointer or the keyboard's focus it is on the map. */
function Round({ name, onShow, shown, children }: { name: string; shown: boolean; onShow: (on: boolean) => void; children: ReactNode }) {
  return (
    <article
      className={shown ? "round round-shown" : "round"}
      aria-label={name}
      onPointerEnter={() => onShow(true)}
      onFocus={() => onShow(true)}
      onClick={() => onShow(true)}
    >
      {children}
    </article>
  );
}

function Proposed({ draft, shown, onShow, onChange, onGiven }: { draft: Draft; shown: boolean; onShow: (on: boolean) => void; onChange: (next: Draft, dropped?: DraftStop) => void; onGiven: () => void }) {
  const { busy, failure, act } = useAct();
  const stops = draft.stops.filter(stillWaits);
  const give = () =>
    void act(() => giveCircuit(draft.id, draft.unit_id, stops.map(({ incident_id }) => incident_id))).then((done) => {
      if (!done) return;
      say(t("storm.circuits.given", { unit: draft.call_sign, count: stops.length }));
      onGiven();
    });
  const length = draft.metres === null || draft.seconds === null ? t("storm.circuits.changed") : `${distance(draft.metres)} · ${minutes(draft.seconds)}`;
  return (
    <Round name={t("storm.circuits.name", { unit: draft.call_sign })} shown={shown} onShow={onShow}>
      <header>
        <strong>{draft.call_sign}</strong>
        <small>{[word("kind", draft.kind), t("storm.circuits.stops", { count: stops.length }), length].join(" · ")}</small>
        <Button size="compact-sm" loading={busy} disabled={stops.length === 0} leftSection={<IconCheck size={14} />} onClick={give}>
          {t("storm.circuits.give")}
        </Button>
      </header>
      <ol className="round-stops">
        {draft.stops.map((stop, place) => (
          <li key={stop.incident_id} className={stillWaits(stop) ? undefined : "round-over"}>
            <span className="round-number">{place + 1}</span>
            <button type="button" className="round-what" onClick={() => select(`incident:${stop.incident_id}`)}>
              <span>{stop.type_name}</span>
              <small>{placeLine(stop.place, stop.zone)}</small>
            </button>
            <span className="round-when">{!stillWaits(stop) ? t("storm.circuits.answered") : stop.arrives === null ? "" : minutes(stop.arrives)}</span>
            <span className="round-acts">
              <ActionIcon variant="subtle" color="gray" size={26} disabled={place === 0} aria-label={t("storm.circuits.up", { what: stop.code })} onClick={() => onChange(moveStop(draft, place, -1, newId()))}>
                <IconArrowUp size={15} />
              </ActionIcon>
              <ActionIcon variant="subtle" color="gray" size={26} disabled={place === draft.stops.length - 1} aria-label={t("storm.circuits.down", { what: stop.code })} onClick={() => onChange(moveStop(draft, place, 1, newId()))}>
                <IconArrowDown size={15} />
              </ActionIcon>
              <ActionIcon variant="subtle" color="gray" size={26} aria-label={t("storm.circuits.drop", { what: stop.code })} onClick={() => onChange(dropStop(draft, place, newId()), stop)}>
                <IconX size={15} />
              </ActionIcon>
            </span>
          </li>
        ))}
      </ol>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </Round>
  );
}

/** How each neighbourhood fares in what is proposed: the limit in words, and in numbers. */
function Fairness({ proposal, share, longest }: { proposal: Proposal; share: number | undefined; longest: number | undefined }) {
  const planned = new Map<string, number>();
  for (const { stops } of proposal.drafts) for (const { zone } of stops) planned.set(zone ?? "", (planned.get(zone ?? "") ?? 0) + 1);
  if (proposal.zones.length === 0) return null;
  return (
    <div className="fairness">
      <h4>{t("storm.fair.title")}</h4>
      {share !== undefined && <p className="hint">{t("storm.fair.rule", { percent: Math.round(share * 100), minutes: longest })}</p>}
      <table>
        <thead>
          <tr>
            <th scope="col">{t("storm.fair.zone")}</th>
            <th scope="col">{t("storm.fair.waiting")}</th>
            <th scope="col">{t("storm.fair.planned")}</th>
            <th scope="col">{t("storm.fair.limit")}</th>
            <th scope="col">{t("storm.fair.longest")}</th>
          </tr>
        </thead>
        <tbody>
          {proposal.zones.map((zone) => (
            <tr key={zone.zone}>
              <th scope="row">{zone.zone ?? t("storm.fair.noZone")}</th>
              <td>{zone.waiting}</td>
              <td>{planned.get(zone.zone ?? "") ?? 0}</td>
              <td>{proposal.planned > 0 ? zone.limit : ""}</td>
              <td className={longest !== undefined && zone.longest_wait_minutes >= longest ? "fair-late" : undefined}>{minutes(zone.longest_wait_minutes * 60)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LeftOut({ stops }: { stops: Proposal["leftOut"] }) {
  const now = useSecond();
  const reasons = [...new Set(stops.map(({ why }) => why))];
  return (
    <div className="left-out">
      <h4>{t("storm.left.title", { count: stops.length })}</h4>
      {reasons.map((why) => {
        const these = stops.filter((stop) => stop.why === why);
        return (
          <details key={why} open={these.length <= 5}>
            <summary>{t("storm.left.group", { why: word("storm.left.why", why), count: these.length })}</summary>
            <ul>
              {these.map((stop) => (
                <li key={stop.incident_id}>
                  <button type="button" className="link-button" onClick={() => select(`incident:${stop.incident_id}`)}>
                    {stop.type_name}
                  </button>
                  <small>{[placeLine(stop.place, stop.zone), ago(stop.opened_at, now)].join(" · ")}</small>
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </div>
  );
}

/* ------------------------------------------------------------------ under way */

function Going({ circuit, may, shown, onShow }: { circuit: Circuit; may: boolean; shown: boolean; onShow: (on: boolean) => void }) {
  const now = useSecond();
  const [at, of] = progress(circuit);
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <Round name={t("storm.circuits.name", { unit: circuit.call_sign })} shown={shown} onShow={onShow}>
      <header>
        <button type="button" className="link-button" onClick={() => select(`unit:${circuit.unit_id}`)}>
          <strong>{circuit.call_sign}</strong>
        </button>
        <small>{[t("storm.circuits.at", { at, of }), t("storm.circuits.givenBy", { who: circuit.given_by, time: ago(circuit.given_at, now) })].join(" · ")}</small>
        {may && (
          <Button size="compact-sm" variant="subtle" onClick={() => setAsked(asked === "" ? null : "")}>
            {t("storm.circuits.callOff")}
          </Button>
        )}
      </header>
      <Stops circuit={circuit} onSkip={may ? (stop) => setAsked(stop.incident_id) : undefined} />
      {asked !== null && <Why circuit={circuit} stop={circuit.stops.find(({ incident_id }) => incident_id === asked)} onDone={() => setAsked(null)} />}
    </Round>
  );
}

const STOP_WHY = ["answered", "reserved", "called_off"];

function Stops({ circuit, onSkip }: { circuit: Circuit; onSkip?: (stop: CircuitStop) => void }) {
  return (
    <ol className="round-stops">
      {circuit.stops.map((stop, place) => (
        <li key={`${stop.incident_id ?? ""}${place}`} className={`round-${stop.state}`}>
          <span className="round-number">{place + 1}</span>
          {stop.incident_id ? (
            <button type="button" className="round-what" onClick={() => select(`incident:${stop.incident_id ?? ""}`)}>
              <span>{stop.type_name}</span>
              <small>{placeLine(stop.place, stop.zone ?? null)}</small>
            </button>
          ) : (
            <span className="round-what">{t("incident.masked")}</span>
          )}
          <span className="round-when">
            {stop.state === "pending" ? (stop.reason === "reserve" ? t("storm.stop.reserve") : "") : stop.state === "skipped" ? t("storm.stop.skippedWhy", { why: STOP_WHY.includes(stop.reason) && has(`storm.stop.why.${stop.reason}`) ? t(`storm.stop.why.${stop.reason}`) : stop.reason }) : `${t(`storm.stop.${stop.state}`)} ${hour(stop.since)}`}
          </span>
          {onSkip && stop.state === "pending" && stop.incident_id && (
            <span className="round-acts">
              <Button size="compact-xs" variant="subtle" aria-label={t("storm.stop.skipWhich", { what: stop.code })} onClick={() => onSkip(stop)}>
                {t("storm.stop.skip")}
              </Button>
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

/** Leaving a stop out, or ending early: it asks why. */
function Why({ circuit, stop, onDone }: { circuit: Circuit; stop: CircuitStop | undefined; onDone: () => void }) {
  const [reason, setReason, discard] = useDraftLine(`circuit:${circuit.id}:${stop?.incident_id ?? ""}`);
  const { busy, failure, act } = useAct();
  const what = stop ? "skip" : "callOff";
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!reason.trim() || busy) return;
    const done = await act(async () => {
      await (stop?.incident_id ? skipStop(circuit.id, stop.incident_id, reason) : callOffCircuit(circuit.id, reason));
      return true;
    });
    if (!done) return;
    discard();
    say(t(`storm.circuits.said.${what}`, { unit: circuit.call_sign }));
    onDone();
  }
  return (
    <form
      className="round-why"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onDone();
      }}
    >
      <TextInput size="xs" autoFocus maxLength={200} label={t(stop ? "storm.circuits.whySkip" : "storm.circuits.whyCallOff", { what: stop?.code, unit: circuit.call_sign })} value={reason} onChange={(event) => setReason(event.currentTarget.value)} error={failure} />
      <Button size="compact-sm" type="submit" loading={busy} disabled={!reason.trim()}>
        {t(stop ? "storm.stop.skip" : "storm.circuits.callOff")}
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={onDone}>
        {t("action.cancel")}
      </Button>
    </form>
  );
}

/** On a unit's card: the circuit it goes round, and on the map while the card is open. */
export function CircuitOf({ unit }: { unit: string }) {
  const circuit = board.circuits().find(({ unit_id }) => unit_id === unit);
  useRound(circuit ? circuit.stops.flatMap(({ at, state }, place) => (at ? [{ at, label: String(place + 1), over: state === "done" || state === "skipped" }] : [])) : null, positionOf(unit), true);
  if (!circuit) return null;
  const [at, of] = progress(circuit);
  return (
    <section className="card-section">
      <h3>{t("storm.circuits.at", { at, of })}</h3>
      <Stops circuit={circuit} />
    </section>
  );
}
