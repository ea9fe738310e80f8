import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { recommendBefore } from "../../lib/calls";
import { farOf } from "../../lib/etas";
import { t, word } from "../../lib/i18n";
import { board, useBoard, useLink } from "../../lib/live";
import { proposed } from "../../lib/recommendation";
import { UnitPill } from "../../lib/ui/UnitPill";
import type { Level, Unit } from "../../lib/wire";
import { useIntake, write } from "../intake";
import { NeedHead, PickWhy } from "../Recommendation";
import { proposal, proposalKey } from "./submit";

const EVERY = 10_000;

/** Whom the server would send to what is being told; what is ticked goes with Ctrl+Enter. It stands still under a hand. */
export function Proposed({ level }: { level: Level | null }) {
  useBoard();
  const type = useIntake((draft) => draft.type);
  const at = useIntake((draft) => draft.at);
  const unticked = useIntake((draft) => draft.unticked);
  const named = useIntake((draft) => draft.units);
  const offline = useLink((state) => state.name === "offline");
  const [still, setStill] = useState(false);
  const key = proposalKey(type, at, level);
  const { data, isError, isPending } = useQuery({
    queryKey: ["recommendation before", key],
    queryFn: () => (type && at ? recommendBefore(type, at, level) : Promise.reject(new Error("nothing to ask"))),
    enabled: key !== "" && !offline,
    refetchInterval: still ? false : EVERY,
    staleTime: EVERY,
    retry: 1,
  });
  useEffect(() => {
    proposal.setState({ key, told: data ?? null });
    return () => proposal.setState({ key: "", told: null });
  }, [key, data]);
  if (key === "") return null;
  const picks = data ? proposed(data) : [];
  const others = named.filter((unit) => !picks.some(({ pick }) => pick.unit_id === unit));
  const toggle = (unit: string) => write({ unticked: unticked.includes(unit) ? unticked.filter((each) => each !== unit) : [...unticked, unit] });
  return (
    <section className="card-section proposed" aria-label={t("calls.proposed.title")} onPointerEnter={() => setStill(true)} onPointerLeave={() => setStill(false)} onFocus={() => setStill(true)} onBlur={() => setStill(false)}>
      <h3>{t("calls.proposed.title")}</h3>
      {isPending && !offline && <p className="hint">{t("calls.proposed.asking")}</p>}
      {isError && !data && <p className="form-failure">{t("calls.proposed.failed")}</p>}
      {offline && <p className="form-failure">{t("dispatch.byRadio")}</p>}
      {data && data.needs.length === 0 && <p className="hint">{t("calls.proposed.noCard")}</p>}
      {data?.needs.map((need, index) => (
        <div key={`${need.capability}-${index}`}>
          <NeedHead need={need} />
          <ul>
            {need.picks.map((pick) => {
              const status = board.get<Unit>(`unit:${pick.unit_id}`)?.status ?? "available";
              const far = farOf({ eta: { ...pick, why: null, snap_m: null }, metres: null });
              return (
                <li key={pick.unit_id}>
                  <label>
                    <input type="checkbox" checked={need.ticked && !unticked.includes(pick.unit_id)} disabled={!need.ticked} onChange={() => toggle(pick.unit_id)} />
                    <UnitPill status={status} />
                    <strong>{pick.call_sign}</strong>
                    <span>{word("kind", pick.kind)}</span>
                    <span className="proposed-far">{far.main}</span>
                  </label>
                  <PickWhy pick={pick} />
                </li>
              );
            })}
          </ul>
        </div>
      ))}
      {others.length > 0 && (
        <p className="proposed-named">
          {t("calls.proposed.named")}
          {others.map((unit) => (
            <button key={unit} type="button" className="link-button" title={t("calls.proposed.dropNamed")} onClick={() => write({ units: named.filter((each) => each !== unit) })}>
              {board.get<Unit>(`unit:${unit}`)?.call_sign ?? unit} {"×"}
            </button>
          ))}
        </p>
      )}
    </section>
  );
}
