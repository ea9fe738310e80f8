import { Select } from "@mantine/core";
import { useMergedRef } from "@mantine/hooks";
import { useMemo, useRef, type KeyboardEvent, type Ref } from "react";
import { useCatalogue } from "../lib/catalogue";
import { has, t } from "../lib/i18n";
import { matches } from "../lib/queue";

/** What callers and dispatchers say for a type whose name nobody says. */
const alsoCalled = (code: string): string => (has(`typeWords.${code}`) ? t(`typeWords.${code}`) : "");

interface Props {
  ref?: Ref<HTMLInputElement>;
  value: string | null;
  onChange: (code: string | null) => void;
  /** Whether one may go back to no type at all. */
  allowNone?: boolean;
}

/** A type of incident, by the letters of its name, of its group's or of what people call it. */
export function TypeSelect({ ref, value, onChange, allowNone = true }: Props) {
  const { types, groups, type: typeOf } = useCatalogue();
  const field = useRef<HTMLInputElement>(null);
  const merged = useMergedRef(field, ref ?? null);
  const type = typeOf(value);
  const options = useMemo(
    () =>
      groups
        .map(({ code, name: group }) => ({ group, items: types.filter((each) => each.group === code).map((each) => ({ value: each.code, label: each.name })) }))
        .filter(({ items }) => items.length > 0),
    [types, groups],
  );

  /** Types that letters may mean, when they are not the chosen one's name. */
  const meant = (letters: string) =>
    letters === "" || letters === type?.name ? [] : types.filter((each) => matches(letters, each.name, alsoCalled(each.code), groups.find(({ code }) => code === each.group)?.name));

  /**
   * Enter takes the first of the list even when it was typed faster than the list followed: what is marked then may be of the list before,
   * and that is never taken. A marked option that the letters do mean is left to the list.
   */
  const onTypeKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    const [first, ...others] = meant(field.current?.value ?? "");
    if (!first) return;
    const marked = document.getElementById(field.current?.getAttribute("aria-activedescendant") ?? "")?.textContent?.trim();
    if ([first, ...others].some(({ name }) => name === marked) && !event.ctrlKey && !event.metaKey) return;
    if (others.length > 0 && (event.ctrlKey || event.metaKey)) return;
    onChange(first.code);
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    field.current?.blur();
    field.current?.focus();
  };

  return (
    <Select
      ref={merged}
      label={t("form.type")}
      placeholder={t("form.typeExample")}
      data={options}
      value={value}
      onChange={onChange}
      allowDeselect={allowNone}
      onKeyDownCapture={onTypeKey}
      searchable
      openOnFocus={false}
      selectFirstOptionOnChange
      nothingFoundMessage={t("form.noType")}
      maxDropdownHeight={320}
      filter={({ options: all, search }) =>
        all.flatMap((entry) => {
          if (!("group" in entry)) return [];
          const items = entry.items.filter(({ label, value: code }) => matches(search, String(label), alsoCalled(code), String(entry.group)));
          return items.length > 0 ? [{ ...entry, items }] : [];
        })
      }
    />
  );
}
