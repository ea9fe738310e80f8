import { LOCALE, t } from "../lib/i18n";
import type { ResourceGap } from "../lib/wire";

const day = new Intl.DateTimeFormat(LOCALE, { day: "2-digit", month: "2-digit", year: "numeric", timeZone: "UTC" });
/** A day as people write it; it has no hour and no zone. */
export const dayOf = (iso: string | null): string => (iso ? day.format(new Date(`${iso}T00:00:00Z`)) : "");

/** What is expired or soon will be, in words; never by colour alone. */
export function Papers({ gaps }: { gaps: ResourceGap[] }) {
  return (
    <>
      {gaps.map((gap) => (
        <span key={gap.code} className={gap.blocks ? "paper paper-out" : "paper"}>
          {t(`resources.gap.${gap.code}`, { until: dayOf(gap.until ?? null), count: gap.days ?? 0 })}
        </span>
      ))}
    </>
  );
}
