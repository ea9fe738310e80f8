import { IconAlertTriangle, IconUserOff, IconUsersGroup } from "@tabler/icons-react";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { roleName, inWords, useDuty, useRules } from "./useStaff";

/** Who is on duty now, in one strip: what is short comes first and says why. */
export function DutyNow() {
  const { data: duty } = useDuty();
  const { data: rules } = useRules();
  if (!duty) return null;
  const short = duty.units.filter(({ gaps }) => gaps.some(({ blocks }) => blocks));
  const people = new Set([...duty.units, ...duty.places].flatMap(({ people }) => people.map(({ member_id }) => member_id)));
  const names = new Map(duty.units.flatMap(({ people }) => people.map(({ member_id, name }) => [member_id, name] as const)));
  const units = [...duty.units].sort((one, other) => Number(other.gaps.some(({ blocks }) => blocks)) - Number(one.gaps.some(({ blocks }) => blocks)) || one.call_sign.localeCompare(other.call_sign, "es", { numeric: true }));
  return (
    <section className="duty" aria-label={t("shifts.duty.title")}>
      <p className="duty-sum">
        <IconUsersGroup size={18} aria-hidden />
        <strong>{t("shifts.duty.people", { count: people.size })}</strong>
        <span>{t("shifts.duty.units", { count: duty.units.filter((unit) => unit.people.length > 0).length })}</span>
        <span data-any={short.length > 0}>{t("shifts.duty.short", { count: short.length })}</span>
        {duty.absent.length > 0 && <span data-any>{t("shifts.duty.absent", { count: duty.absent.length })}</span>}
      </p>
      <ul>
        {units.map((unit) => {
          const blocked = unit.gaps.some(({ blocks }) => blocks);
          return (
            <li key={unit.unit_id} data-blocked={blocked}>
              <strong>{unit.call_sign}</strong>
              <span className="duty-people">
                {unit.people.length === 0 ? t("shifts.nobody") : unit.people.map((one) => `${one.name} (${roleName(rules, one.role).toLowerCase()}, ${hour(one.since)})`).join(" · ")}
              </span>
              {unit.gaps.map((gap, place) => (
                <span key={place} className="duty-gap" data-blocks={gap.blocks}>
                  {gap.blocks && <IconAlertTriangle size={14} aria-hidden />}
                  {inWords(gap, rules, typeof gap.member_id === "string" ? names.get(gap.member_id) : "")}
                </span>
              ))}
            </li>
          );
        })}
        {duty.places.map((place) => (
          <li key={place.place}>
            <strong>{place.place}</strong>
            <span className="duty-people">{place.people.map(({ name }) => name).join(" · ")}</span>
          </li>
        ))}
        {duty.absent.map((one) => (
          <li key={one.slot_id + one.member_id}>
            <IconUserOff size={14} aria-hidden />
            <span className="duty-people">{t("shifts.duty.missing", { name: one.name, role: roleName(rules, one.role).toLowerCase(), since: hour(one.since) })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
