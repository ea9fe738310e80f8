import { t } from "../i18n";
import { hourSeconds } from "../format";
import { retryNow, useLink } from "../live";
import { useInPast } from "../moment";
import { useSession } from "../session";

/** The link in words, always; never a dot alone. */
export function LinkChip() {
  const { name, age, polling, bus } = useLink((state) => state);
  const past = useInPast();
  // Of what the screen shows nobody may read that it is live.
  const text = name === "connecting" || age === null ? t("link.connecting") : past && name === "live" ? t("replay.link", { n: age }) : t(`link.chip.${name}`, { n: age });
  return (
    <span className={`link-chip link-chip-${name}`} role="status">
      <span className="link-beat" aria-hidden />
      <span>{text}</span>
      {(polling || !bus) && <span className="link-aside">{polling ? t("link.polling") : t("link.slowBus")}</span>}
    </span>
  );
}

/** The strip under the top bar: nothing while live, impossible to miss when not. */
export function LinkStrip() {
  const { name, age, heardAt, attempt, changes } = useLink((state) => state);
  const { city } = useSession();
  if (name === "late")
    return (
      <div className="link-strip link-strip-late" role="alert">
        <span>{t("link.late", { n: age ?? 0, attempt: Math.max(1, attempt) })}</span>
        <button type="button" onClick={retryNow}>
          {t("link.retry")}
        </button>
      </div>
    );
  if (name === "offline")
    return (
      <div className="link-strip link-strip-offline" role="alert">
        <strong>{heardAt ? t("link.offline", { hour: hourSeconds(heardAt) }) : t("link.never")}</strong>
        <span>{[t("link.useRadio"), ...city.phones.slice(0, 4).map((phone) => `${phone.name} ${phone.number}`)].join(" · ")}</span>
        <button type="button" onClick={retryNow}>
          {t("link.retry")}
        </button>
      </div>
    );
  if (name === "back")
    return (
      <div className="link-strip link-strip-back" role="status">
        {t("link.back", { count: changes })}
      </div>
    );
  return null;
}
