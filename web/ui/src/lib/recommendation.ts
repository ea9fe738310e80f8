/** What a recommendation says, in words, and which of its units are ticked. Pure, so that it can be tried without a screen. */
import { minutes } from "./etas";
import { LOCALE, t, word } from "./i18n";
import { capabilityName } from "./runCards";
import type { Leaves, NeedAnswer, Option, Reason, Recommendation, Trade } from "./wire";

const NUMBER = new Intl.NumberFormat(LOCALE);
const PER_CENT = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 0 });

export const count = (n: number): string => NUMBER.format(n);
export const share = (part: number): string => PER_CENT.format(part);

/** "deja 12.400 personas de Las Compañías a más de 8 min". */
export function leavesWords({ people, street_km, square_km, minutes: within, zones }: Leaves): string {
  const where = zones[0] ? t(zones.length > 1 ? "recommend.ofAndMore" : "recommend.of", { zone: zones[0].name, n: zones.length - 1 }) : "";
  const ground = square_km ? t("recommend.ground", { n: NUMBER.format(square_km) }) : "";
  if (people === null) return t("recommend.leavesStreets", { km: NUMBER.format(Math.round(street_km * 10) / 10), n: within }) + ground;
  return t("recommend.leaves", { people: count(people), where, n: within }) + ground;
}

const seconds = (n: unknown): string => (typeof n === "number" ? (n >= 90 ? minutes(n) : t("recommend.seconds", { n: Math.round(n) })) : "");

/** A reason in words; its facts are named as the server names them. */
export function reasonWords({ code, facts }: Reason): string {
  if (code === "gated" || code === "warning") {
    const gaps = Array.isArray(facts["gaps"]) ? (facts["gaps"] as { code: string }[]) : [facts as { code?: string }];
    return gaps.map((gap) => (gap.code ? word("recommend.gap", gap.code) : "")).join(" · ");
  }
  const list = (name: string) => (Array.isArray(facts[name]) ? (facts[name] as string[]).map((each) => capabilityName(each)).join(", ") : "");
  return t(`recommend.reason.${code}`, {
    unit: text(facts["unit"]),
    code: facts["code"] ? text(facts["code"]) : t("recommend.hidden"),
    time: seconds(facts["seconds"]),
    age: seconds(facts["age"]),
    capabilities: list("capabilities"),
    jurisdictions: Array.isArray(facts["jurisdictions"]) ? (facts["jurisdictions"] as string[]).join(", ") : "",
    duty: word("unit", text(facts["duty"])),
    organization: text(facts["organization"]),
    has: facts["has"] === null || facts["has"] === undefined ? t("recommend.unsaid") : text(facts["has"]),
    needs: text(facts["needs"]),
  });
}

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** What each reason adds to the score, for who wants to argue with it: "214 s = 3 min por calle + 40 s …". */
export const sumWords = ({ score, reasons }: Option): string =>
  t("recommend.sum", {
    total: Math.round(score),
    parts: reasons.map((each) => t(`recommend.part.${each.code}`, { n: Math.round(each.seconds) })).join(" + "),
  });

export function tradeWords({ call_sign, to, instead, saved_there, later_here }: Trade): string {
  const there = saved_there === null ? t("recommend.tradeOnly") : t("recommend.tradeSaved", { time: seconds(Math.abs(saved_there)) });
  const here = instead === null ? t("recommend.tradeNobody") : t((later_here ?? 0) > 0 ? "recommend.tradeHere" : "recommend.tradeSame", { unit: instead, time: seconds(later_here ?? 0) });
  return t("recommend.trade", { unit: call_sign, to: to ?? t("recommend.hidden"), there, here });
}

/** What is proposed to be sent, in the order in which it is read. */
export const proposed = (told: Recommendation): { need: NeedAnswer; pick: Option }[] =>
  told.needs.flatMap((need) => need.picks.map((pick) => ({ need, pick })));

/** Everybody of whom it says why he does not go: by unit, the first that holds. */
export function notGoing(told: Recommendation): { unit_id: string; call_sign: string; why: Reason; seconds: number | null; gaps: boolean; need: string }[] {
  const found = new Map<string, ReturnType<typeof notGoing>[number]>();
  const going = new Set(told.needs.flatMap(({ picks, going: there }) => [...picks, ...there].map(({ unit_id }) => unit_id)));
  for (const need of told.needs) {
    for (const { unit_id, call_sign, why, seconds: took } of [...need.others, ...need.ruled_out]) {
      if (!going.has(unit_id) && !found.has(unit_id)) found.set(unit_id, { unit_id, call_sign, why, seconds: took, gaps: why.code === "gated", need: need.capability });
    }
  }
  return [...found.values()];
}
