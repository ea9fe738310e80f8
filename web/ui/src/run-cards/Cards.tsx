import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useCatalogue } from "../lib/catalogue";
import { explain } from "../lib/explain";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { matches } from "../lib/queue";
import { useRegister } from "../lib/registers";
import { useCapabilities } from "../lib/resources";
import { runCards } from "../lib/verbs";
import type { CardEntry, Level } from "../lib/wire";
import { CardEditor } from "./CardEditor";
import "./cards.css";

const PRIORITIES: readonly (Level | null)[] = [null, 1, 2, 3, 4];

/** Who goes to what: run cards by type on the left, the one that is chosen on the right. */
export function Cards() {
  const edition = useRegister("run_cards");
  const { types, groups } = useCatalogue();
  const { data, isPending, error } = useQuery({ queryKey: ["run-cards", edition], queryFn: runCards, placeholderData: keepPreviousData, staleTime: 60_000 });
  const [chosen, choose] = useChosen();
  const [query, setQuery] = useState("");
  const search = useRef<HTMLInputElement>(null);
  const names = new Map(useCapabilities().map(({ code, name }) => [code, name]));
  useKey("/", () => search.current?.focus());

  if (isPending) return <p className="cards-blank">{t("page.loading")}</p>;
  if (!data)
    return (
      <p className="cards-blank form-failure" role="alert">
        {explain(error)}
      </p>
    );
  const of = (type: string, priority: Level | null): CardEntry | undefined => data.cards.find((card) => card.type_code === type && card.priority === priority);
  const found = types.filter((type) => matches(query, type.code, type.name));
  const type = types.find(({ code }) => code === chosen?.type);

  return (
    <div className={`cards-desk${type ? " cards-open" : ""}`}>
      <nav className="cards-list" aria-label={t("runCards.list")}>
        <TextInput
          ref={search}
          size="sm"
          aria-label={t("runCards.search")}
          placeholder={t("runCards.search")}
          leftSection={<IconSearch size={15} />}
          rightSection={<kbd>{"/"}</kbd>}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && found[0]) choose({ type: found[0].code, priority: null });
            if (event.key === "Escape") setQuery("");
          }}
        />
        {data.missing.length > 0 && <p className="hint">{t("runCards.missing", { count: data.missing.length })}</p>}
        {groups.map((group) => {
          const inside = found.filter((each) => each.group === group.code);
          return inside.length === 0 ? null : (
            <section key={group.code}>
              <h3>{group.name}</h3>
              <ul>
                {inside.map((each) => (
                  <li key={each.code}>
                    {PRIORITIES.filter((priority) => priority === null || of(each.code, priority)).map((priority) => (
                      <button
                        key={priority ?? 0}
                        type="button"
                        className="cards-item"
                        aria-current={each.code === chosen?.type && priority === chosen.priority ? "true" : undefined}
                        onClick={() => choose({ type: each.code, priority })}
                      >
                        <span className="cards-code">{priority === null ? each.code : t("runCards.only", { n: priority })}</span>
                        <span className="cards-name">{priority === null ? each.name : ""}</span>
                        <Marks entry={of(each.code, priority)} names={names} />
                      </button>
                    ))}
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
        {found.length === 0 && <p className="cards-blank">{t("runCards.noMatch")}</p>}
      </nav>
      {type && chosen ? (
        <CardEditor
          key={`${type.code}:${chosen.priority ?? 0}`}
          type={type}
          priority={chosen.priority}
          onPriority={(priority) => choose({ type: type.code, priority })}
          onLeave={() => choose(null)}
        />
      ) : (
        <p className="cards-blank cards-nothing">{t("runCards.choose")}</p>
      )}
    </div>
  );
}

/** What the first level needs, in chips; and what is to be known before opening it. */
function Marks({ entry, names }: { entry: CardEntry | undefined; names: ReadonlyMap<string, string> }) {
  const level = entry?.in_force?.levels[0];
  const needed = level?.needs.filter(({ kind }) => kind === "required") ?? [];
  return (
    <span className="cards-marks">
      {!level && <em className="cards-none">{t("runCards.without")}</em>}
      {needed.map(({ capability, count }, index) => (
        <span key={`${index}-${capability}`} className="agency" title={names.get(capability)}>
          {capability}
          {count > 1 && ` ×${count}`}
        </span>
      ))}
      {level?.agencies.map(({ agency, count }) => (
        <span key={agency} className="agency agency-asked">
          {agency}
          {count > 1 && ` ×${count}`}
        </span>
      ))}
      {entry && entry.coming.length > 0 && <em>{t("runCards.comes")}</em>}
    </span>
  );
}

interface Chosen {
  type: string;
  priority: Level | null;
}

/** Which card is open stands in the address: it survives a reload and can be sent to somebody. */
function useChosen(): [Chosen | null, (next: Chosen | null) => void] {
  const read = (): Chosen | null => {
    const words = new URLSearchParams(location.search);
    const type = words.get("tarjeta");
    const priority = Number(words.get("p"));
    return type ? { type, priority: priority >= 1 && priority <= 4 ? (priority as Level) : null } : null;
  };
  const [chosen, setChosen] = useState(read);
  useEffect(() => {
    const follow = () => setChosen(read());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  const choose = (next: Chosen | null) => {
    const words = new URLSearchParams({ ver: "tarjetas", ...(next ? { tarjeta: next.type } : {}), ...(next?.priority ? { p: String(next.priority) } : {}) });
    history.pushState(null, "", `?${words}`);
    setChosen(next);
  };
  return [chosen, choose];
}
