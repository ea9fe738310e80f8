import { Button, NativeSelect, NumberInput } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { newId } from "../lib/api";
import { hourSeconds } from "../lib/format";
import { t, word } from "../lib/i18n";
import { count, share } from "../lib/recommendation";
import { useRegister } from "../lib/registers";
import { capabilityName } from "../lib/runCards";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { capabilities, coverageNow, coverageTargets, dispatchPolicy, endTarget, setTarget, weigh, zones, type Policy } from "../lib/verbs";
import type { CoverageNow, CoverageTarget } from "../lib/wire";
import { useAct } from "../console/useAct";
import "./coverage.css";

const KINDS = ["patrol", "motorcycle", "traffic", "civil_protection", "works", "lighting", "trees", "control", "social", "zoonosis"] as const;
const NOW_EVERY = 20_000;

const named = ({ capability, kind }: Pick<CoverageTarget, "capability" | "kind">): string => (capability ? capabilityName(capability) : word("kind", kind ?? ""));

/** How fast help should be anywhere, how much of the city that must hold for, how it stands now, and by what units are weighed. */
export function Coverage() {
  const mayEdit = useMay("policy.edit");
  const edition = useRegister("coverage_targets");
  const targets = useQuery({ queryKey: ["coverage targets", edition], queryFn: coverageTargets, placeholderData: keepPreviousData });
  const now = useQuery({ queryKey: ["coverage now", edition], queryFn: coverageNow, refetchInterval: NOW_EVERY, placeholderData: keepPreviousData });
  const [editing, setEditing] = useState<string | null>(null);
  if (targets.isError || now.isError) return <p className="form-failure">{t("coverage.failed")}</p>;
  const stands = new Map(now.data?.targets.map((one) => [one.id, one]));
  return (
    <div className="coverage">
      <section>
        <h2>{t("coverage.title")}</h2>
        <p className="hint">
          {t("coverage.hint")} {now.data && t("coverage.asOf", { hour: hourSeconds(now.data.at) })}
        </p>
        {targets.data?.targets.length === 0 && <p className="card-empty">{t("coverage.none")}</p>}
        <ul className="targets">
          {targets.data?.targets.map((target) => (
            <li key={target.id}>
              <Target target={target} stands={stands.get(target.id)} mayEdit={mayEdit} onChange={() => setEditing(target.id)} />
              {editing === target.id && <TargetForm of={target} onDone={() => setEditing(null)} />}
            </li>
          ))}
        </ul>
        {mayEdit && editing === null && <TargetForm onDone={() => setEditing(null)} />}
      </section>
      {mayEdit && <Weights edition={edition} />}
    </div>
  );
}

function Target({ target, stands, mayEdit, onChange }: { target: CoverageTarget; stands: CoverageNow["targets"][number] | undefined; mayEdit: boolean; onChange: () => void }) {
  const { busy, failure, act } = useAct();
  const refresh = useRefresh();
  const end = () =>
    void act(() => endTarget(target.id)).then((done) => {
      if (done === null) return;
      say(t("coverage.ended"));
      refresh();
    });
  return (
    <>
      <div className="target">
        <strong>{t("coverage.target", { what: named(target), minutes: target.minutes, zone: target.zone ?? t("coverage.wholeCity") })}</strong>
        {stands && (
          <span className={stands.met ? "share share-met" : "share share-under"}>
            <meter min={0} max={1} low={target.minimum} value={stands.share} aria-label={named(target)} />
            <b>{share(stands.share)}</b> {t(stands.met ? "coverage.met" : "coverage.under")}
          </span>
        )}
        <span>{t("coverage.wanted", { share: share(target.minimum) })}</span>
        {mayEdit && (
          <span className="target-acts">
            <Button size="compact-sm" variant="default" onClick={onChange}>
              {t("coverage.change")}
            </Button>
            <Button size="compact-sm" variant="default" loading={busy} onClick={end}>
              {t("coverage.end")}
            </Button>
          </span>
        )}
      </div>
      {stands && (
        <p className="hint">
          {stands.people !== null && stands.of_people !== null ? t("coverage.people", { has: count(stands.people), of: count(stands.of_people) }) : t("coverage.streets", { km: count(stands.street_km) })}
          {" · "}
          {t("coverage.units", { count: stands.units.length })} {stands.units.join(", ")}
          {stands.beyond.length > 0 && ` · ${t("coverage.beyond", { zones: stands.beyond.slice(0, 5).map(({ name, people, of }) => t("coverage.zonePeople", { zone: name, people: count(of - people) })).join(", ") })}`}
        </p>
      )}
      {failure && <p className="form-failure">{failure}</p>}
    </>
  );
}

function useRefresh() {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith("coverage") || queryKey[0] === "dispatch policy" });
}

function TargetForm({ of, onDone }: { of?: CoverageTarget; onDone: () => void }) {
  const { busy, failure, act } = useAct();
  const refresh = useRefresh();
  const [what, setWhat] = useState(of ? (of.capability ? `c:${of.capability}` : `k:${of.kind ?? ""}`) : "c:GUM");
  const [minutes, setMinutes] = useState<number | string>(of?.minutes ?? 8);
  const [minimum, setMinimum] = useState<number | string>(of ? Math.round(of.minimum * 100) : 80);
  const [zone, setZone] = useState(of?.zone_id ?? "");
  const known = useQuery({ queryKey: ["zones of coverage"], queryFn: zones });
  const can = useQuery({ queryKey: ["capabilities of coverage"], queryFn: capabilities });
  const places = (known.data?.features ?? []).map(({ properties }) => ({ value: properties.id, label: properties.name })).sort((a, b) => a.label.localeCompare(b.label, "es"));
  const send = () => {
    const [sort, code] = [what.slice(0, 1), what.slice(2)];
    void act(() =>
      setTarget({ id: newId(), ...(sort === "c" ? { capability: code } : { kind: code }), minutes: Number(minutes), minimum: Number(minimum) / 100, zone_id: zone || undefined, replaces: of?.id }),
    ).then((done) => {
      if (done === null) return;
      say(t("coverage.saved"));
      refresh();
      onDone();
    });
  };
  return (
    <form
      className="target-form"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <NativeSelect
        size="sm"
        label={t("coverage.what")}
        value={what}
        onChange={(event) => setWhat(event.currentTarget.value)}
        data={[...(can.data?.capabilities ?? []).map(({ code, name }) => ({ value: `c:${code}`, label: name })), ...KINDS.map((code) => ({ value: `k:${code}`, label: word("kind", code) }))]}
      />
      <NumberInput size="sm" label={t("coverage.minutes")} min={1} max={60} value={minutes} onChange={setMinutes} />
      <NumberInput size="sm" label={t("coverage.minimum")} min={0} max={100} value={minimum} onChange={setMinimum} />
      <NativeSelect size="sm" label={t("coverage.zone")} value={zone} onChange={(event) => setZone(event.currentTarget.value)} data={[{ value: "", label: t("coverage.wholeCity") }, ...places]} />
      <Button type="submit" size="sm" loading={busy}>
        {t(of ? "coverage.save" : "coverage.add")}
      </Button>
      {failure && <p className="form-failure">{failure}</p>}
    </form>
  );
}

/** The seconds with which units are weighed: read by everybody in each proposal, changed here. */
function Weights({ edition }: { edition: number }) {
  const { busy, failure, act } = useAct();
  const refresh = useRefresh();
  const held = useQuery({ queryKey: ["dispatch policy", edition], queryFn: dispatchPolicy, placeholderData: keepPreviousData });
  const [changed, setChanged] = useState<Policy>({});
  if (!held.data) return null;
  const values = { ...held.data.values, ...changed };
  const plain = Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === "number");
  const byPriority = (name: string) => Object.entries(values[name] as Record<string, number>);
  const field = (key: string, label: string, value: number, set: (value: number) => void) => (
    <NumberInput key={key} size="sm" label={label} min={0} value={value} onChange={(next) => set(Number(next))} />
  );
  const save = () =>
    void act(() => weigh(changed)).then((done) => {
      if (done === null) return;
      setChanged({});
      say(t("coverage.weighed"));
      refresh();
    });
  return (
    <section>
      <h2>
        {t("coverage.weights")} <small>{t("coverage.edition", { n: held.data.number })}</small>
      </h2>
      <p className="hint">{t("coverage.weightsHint")}</p>
      <form
        className="weights"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        {plain.map(([name, value]) => field(name, word("coverage.values", name), value, (next) => setChanged((all) => ({ ...all, [name]: next }))))}
        {(["coverage_s", "weights"] as const).flatMap((name) =>
          byPriority(name).map(([level, value]) =>
            field(`${name}${level}`, t(name === "weights" ? "coverage.weightOf" : "coverage.perThousand", { n: level }), value, (next) =>
              setChanged((all) => ({ ...all, [name]: { ...(values[name] as Record<string, number>), [level]: next } })),
            ),
          ),
        )}
        <Button type="submit" size="sm" loading={busy} disabled={Object.keys(changed).length === 0}>
          {t("coverage.save")}
        </Button>
        {failure && <p className="form-failure">{failure}</p>}
      </form>
    </section>
  );
}
