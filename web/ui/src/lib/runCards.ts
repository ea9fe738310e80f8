/** Run cards as screens need them: the one in force for an incident, and its lines in words. */
import { useQuery } from "@tanstack/react-query";
import { t, word } from "./i18n";
import { useRegister } from "./registers";
import { cardInForce } from "./verbs";
import type { CardLevel, CardNeed, Level, RunCard } from "./wire";

/** The card in force for a type and a priority; null without one, undefined until it is known. */
export function useRunCard(type: string, priority: Level): RunCard | null | undefined {
  const edition = useRegister("run_cards");
  const { data } = useQuery({
    queryKey: ["run-card", type, priority, edition],
    queryFn: () => cardInForce(type, priority),
    staleTime: 300_000,
    placeholderData: (held) => (held?.card?.type_code === type ? held : undefined),
  });
  return data?.card;
}

/** What stands up to an alarm level: levels add up. */
export const upTo = (card: RunCard | null | undefined, level: number): CardLevel[] => card?.levels.slice(0, level) ?? [];
export const needsOf = (card: RunCard | null | undefined, level: number): CardNeed[] => upTo(card, level).flatMap(({ needs }) => needs);

/** "Guardia Urbana ×2", "Cisterna desde 5000". */
export const needWords = ({ capability, count, at_least }: CardNeed, name: (code: string) => string = capabilityName): string =>
  [name(capability), count > 1 ? `×${count}` : "", at_least === null ? "" : t("runCards.atLeast", { n: at_least })].filter(Boolean).join(" ");

export const capabilityName = (code: string): string => word("agency", code);

/** How much a level adds, in words: "2 móviles, 1 organismo, 3 tareas". */
export function addsWords(level: CardLevel | undefined): string {
  if (!level) return t("runCards.addsNothing");
  const units = level.needs.reduce((sum, { count, kind }) => sum + (kind === "reserve" ? 0 : count), 0);
  const parts = [
    units && t("runCards.addsUnits", { count: units }),
    level.agencies.length && t("runCards.addsAgencies", { count: level.agencies.length }),
    level.tasks.length && t("runCards.addsTasks", { count: level.tasks.length }),
  ];
  return parts.filter(Boolean).join(", ") || t("runCards.addsNothing");
}
