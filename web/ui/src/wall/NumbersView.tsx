import { useQuery } from "@tanstack/react-query";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { isOpen, isOverdue, isUnacknowledged } from "../lib/queue";
import { ownNumbers, type BesideAnHourAgo } from "../lib/walls";

const AGAIN = 15_000;

/** Eight numbers, each with its name, its hour and, where that is honest, how it stood an hour before. */
export function NumbersView() {
  useBoard();
  const now = useSecond();
  const { data } = useQuery({ queryKey: ["wall", "numbers"], queryFn: ownNumbers, refetchInterval: AGAIN, refetchIntervalInBackground: true, retry: false });
  const open = board.incidents().filter((incident) => !incident.masked && isOpen(incident));
  const live = (value: number): BesideAnHourAgo => ({ now: value, then: null });
  const minutes = (of?: BesideAnHourAgo): BesideAnHourAgo =>
    ({ now: of?.now == null ? null : Math.round(of.now / 60), then: of?.then == null ? null : Math.round(of.then / 60) });
  const numbers: [string, BesideAnHourAgo, boolean][] = [
    ["open", { now: open.length, then: data?.open.then ?? null }, true],
    ["urgent", { now: open.filter(({ priority }) => priority <= 2).length, then: data?.urgent.then ?? null }, true],
    ["unheard", live(open.filter(isUnacknowledged).length), true],
    ["overdue", live(open.filter((incident) => isOverdue(incident, now)).length), true],
    ["free", live(board.units().filter(({ status }) => status === "available").length), true],
    ["came", data?.came ?? live(NaN), false],
    ["ended", data?.ended ?? live(NaN), false],
    ["arrival", minutes(data?.arrival_seconds), false],
  ];
  return (
    <section className="wall-board" aria-label={t("walls.views.board")}>
      {numbers.map(([name, { now: value, then }, isLive]) => (
        <dl key={name}>
          <dt>{t(`wall.board.${name}`)}</dt>
          <dd>
            <b>{value === null || Number.isNaN(value) ? "—" : value}</b>
            {name === "arrival" && value !== null && <small>{t("wall.board.minutes")}</small>}
          </dd>
          <dd className="wall-trend">
            {value !== null && then !== null && <Trend value={value} then={then} />}
            <span>{isLive ? t("wall.board.at", { hour: hour(now) }) : data ? t("wall.board.until", { hour: hour(data.at) }) : t("wall.board.none")}</span>
          </dd>
        </dl>
      ))}
    </section>
  );
}

function Trend({ value, then }: { value: number; then: number }) {
  const sign = value > then ? "▲" : value < then ? "▼" : "=";
  return (
    <span>
      <i aria-hidden>{sign}</i> {t("wall.board.before", { n: then })}
    </span>
  );
}
