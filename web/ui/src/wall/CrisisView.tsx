import { useQuery } from "@tanstack/react-query";
import { hour, running } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { ownCrisis, type Crisis } from "../lib/walls";

const AGAIN = 4_000;
const MOST = 5; // of each list: what does not fit is counted

/** One incident or major incident: since when, by sectors, who commands, who is asked and there, what happened last. */
export function CrisisView({ about }: { about: string | null }) {
  const now = useSecond();
  const { data } = useQuery({ queryKey: ["wall", "crisis", about], queryFn: ownCrisis, refetchInterval: AGAIN, refetchIntervalInBackground: true, retry: false });
  if (!data)
    return (
      <section className="wall-crisis" aria-label={t("walls.views.crisis")}>
        <p className="wall-quiet">{t("wall.crisis.none")}</p>
      </section>
    );
  return (
    <section className="wall-crisis" aria-label={t("walls.views.crisis")}>
      <header>
        {data.priority && <PriorityMark level={data.priority} size={64} />}
        <div>
          <strong>{data.name}</strong>
          <span>{[data.code, data.place].filter(Boolean).join(" · ")}</span>
        </div>
        <div className="wall-crisis-clock">
          <b>{running(now - Date.parse(data.opened_at))}</b>
          <span>{t("wall.crisis.since", { hour: hour(data.opened_at) })}</span>
        </div>
      </header>
      <div className="wall-crisis-parts">
        <Resources data={data} />
        {data.sectors.length > 0 ? <Sectors data={data} /> : <Incidents data={data} />}
        <Log data={data} />
      </div>
    </section>
  );
}

function Resources({ data }: { data: Crisis }) {
  const there = data.resources.filter((one) => one.there);
  const asked = data.resources.filter((one) => one.asked);
  const coming = data.resources.filter((one) => !one.there && !one.asked);
  const groups: [string, typeof there][] = [["there", there], ["coming", coming], ["asked", asked]];
  return (
    <article>
      <h2>{t("wall.crisis.resources")}</h2>
      {groups.map(([name, units]) => (
        <p key={name} className="wall-crisis-group">
          <b>{units.length}</b> <span>{t(`wall.crisis.${name}`)}</span>
          <em>{units.slice(0, MOST).map(({ call_sign }) => call_sign).join(" ")}{units.length > MOST && ` +${units.length - MOST}`}</em>
        </p>
      ))}
      {data.posts.length > 0 && (
        <ul>
          {data.posts.slice(0, 4).map(({ role, organization }) => (
            <li key={role}>
              <span>{t(`majors.role.${role}`)}</span> <b>{organization || "✓"}</b>
            </li>
          ))}
        </ul>
      )}
    </article>
  );
}

function Sectors({ data }: { data: Crisis }) {
  return (
    <article>
      <h2>{t("wall.crisis.sectors")}</h2>
      <ul>
        {data.sectors.slice(0, MOST).map(({ id, name, colour, open, there }) => (
          <li key={id}>
            <span>
              <i className={`wall-sector wall-sector-${colour}`} aria-hidden /> {name}
            </span>
            <b>{t("wall.crisis.sector", { open, there })}</b>
          </li>
        ))}
      </ul>
      {data.sectors.length > MOST && <p>{t("wall.more", { count: data.sectors.length - MOST })}</p>}
    </article>
  );
}

function Incidents({ data }: { data: Crisis }) {
  return (
    <article>
      <h2>{data.incidents.length > 0 ? t("wall.crisis.incidents") : t("wall.crisis.state")}</h2>
      {data.state && <p className="wall-crisis-state">{word("state", data.state)}</p>}
      <ul>
        {data.incidents.slice(0, MOST).map(({ code, name, priority }) => (
          <li key={code}>
            <PriorityMark level={priority} size={36} /> <span>{name}</span>
          </li>
        ))}
      </ul>
      {data.incidents.length > MOST && <p>{t("wall.more", { count: data.incidents.length - MOST })}</p>}
    </article>
  );
}

function Log({ data }: { data: Crisis }) {
  return (
    <article>
      <h2>{t("wall.crisis.log")}</h2>
      <ol>
        {data.log.slice(0, MOST).map(({ at, kind, call_sign, status }) => (
          <li key={`${at}${kind}${call_sign ?? ""}`}>
            <time>{hour(at)}</time>{" "}
            <span>{[call_sign, kind === "assignment.status" && status ? word("assignment.status", status) : t(`wall.log.${kind.replace(".", "_")}`)].filter(Boolean).join(": ")}</span>
          </li>
        ))}
      </ol>
    </article>
  );
}
