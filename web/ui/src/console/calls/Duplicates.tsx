import { Button } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import { useId, type KeyboardEvent } from "react";
import type { Duplicate } from "../../lib/calls";
import { ago, distance } from "../../lib/format";
import { LOCALE, t, word } from "../../lib/i18n";
import { useSecond } from "../../lib/live";
import { PriorityMark } from "../../lib/ui/PriorityMark";
import { select } from "../desk";

const SCORE = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const scoreWords = (score: number): string => SCORE.format(score);
const POINTS = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });

/** "120 m · hace 4 min · mismo tipo · «humo negro» · mismo teléfono". */
export function factsOf({ metres, seconds, parts }: Duplicate, now: number): string {
  const facts = [t("duplicates.away", { distance: distance(metres) }), ago(now - seconds * 1000, now)];
  if (parts.type.points !== null) facts.push(t(`duplicates.type.${parts.type.value ?? "other"}`));
  if (parts.words.points !== null && parts.words.value !== "") facts.push(`«${parts.words.value}»`);
  if (parts.caller.value) facts.push(t("duplicates.caller"));
  return facts.join(" · ");
}

const PARTS = ["start", "metres", "minutes", "type", "channel", "words", "caller"] as const;

interface Props {
  found: Duplicate[];
  busy: boolean;
  onJoin: (one: Duplicate) => void;
  /** Digits join from anywhere (where nothing else is asked by digits); else only while the list has the focus. */
  digits: boolean;
  /** Opening one leaves the card: not while a call is being taken. */
  opens: boolean;
}

/** Open incidents that it may be, each with its score in the open: one press joins. */
export function DuplicateList({ found, busy, onJoin, digits, opens }: Props) {
  const now = useSecond();
  const id = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    const one = /^[1-9]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.metaKey ? found[Number(event.key) - 1] : undefined;
    if (!one || busy) return;
    event.preventDefault();
    onJoin(one);
  };
  return (
    <ol className="duplicates" onKeyDown={onKeyDown}>
      {found.map((one, index) => (
        <li key={one.incident_id} className={one.likely ? "duplicate duplicate-likely" : "duplicate"}>
          <div>
            <p id={`${id}-${index}`}>
              <PriorityMark level={one.priority} size={18} />
              {opens ? (
                <button type="button" className="link-button" onClick={() => select(`incident:${one.incident_id}`)}>
                  {one.type_name}
                </button>
              ) : (
                <strong>{one.type_name}</strong>
              )}
              <small>{[one.code, one.place, word("state", one.state)].filter(Boolean).join(" · ")}</small>
            </p>
            <details>
              <summary>
                {factsOf(one, now)} <strong className="duplicate-score">{scoreWords(one.score)}</strong>
              </summary>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t("duplicates.part")}</th>
                    <th scope="col">{t("duplicates.points")}</th>
                  </tr>
                </thead>
                <tbody>
                  {PARTS.map((part) => (
                    <tr key={part}>
                      <th scope="row">{t(`duplicates.parts.${part}`)}</th>
                      <td>{one.parts[part].points === null ? t("duplicates.unknown") : POINTS.format(one.parts[part].points)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          </div>
          <Button size="compact-sm" variant="default" disabled={busy} leftSection={<IconLink size={14} />} aria-describedby={`${id}-${index}`} onClick={() => onJoin(one)}>
            {t("report.join")} {index === 0 ? <kbd>{"V"}</kbd> : digits && index < 9 && <kbd>{index + 1}</kbd>}
          </Button>
        </li>
      ))}
    </ol>
  );
}
