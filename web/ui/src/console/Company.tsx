import { t } from "../lib/i18n";
import { useCompany, type Editing } from "../lib/presence";

const initials = (name: string): string =>
  name.split(/\s+/).map(([first]) => first ?? "").join("").slice(0, 2).toUpperCase();

/** Who else has this card open at this moment, and what they are changing in it. */
export function Company({ incident, editing }: { incident: string; editing: Editing }) {
  const here = useCompany(incident, editing);
  return (
    <ul className="company" aria-label={t("presence.title")} aria-live="polite">
      {here.map(({ person_id, name, editing: what }) => (
        <li key={person_id} className={what ? "company-busy" : undefined}>
          <span aria-hidden>{initials(name)}</span>
          {what ? t(`presence.editing.${what}`, { name }) : t("presence.here", { name })}
        </li>
      ))}
    </ul>
  );
}
