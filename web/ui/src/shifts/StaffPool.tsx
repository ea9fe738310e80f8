import { TextInput } from "@mantine/core";
import { IconGripVertical } from "@tabler/icons-react";
import { useState } from "react";
import { t } from "../lib/i18n";
import { roleName, useRules, useStaff } from "./useStaff";

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Everybody who could be placed, to be dragged onto a shift. With the keyboard one opens the shift instead. */
export function StaffPool() {
  const { data: members } = useStaff();
  const { data: rules } = useRules();
  const [words, setWords] = useState("");
  const found = (members ?? []).filter(({ name, role, status }) => status === "active" && plain(`${name} ${roleName(rules, role)}`).includes(plain(words)));
  return (
    <aside className="pool" aria-label={t("shifts.pool")}>
      <TextInput size="xs" label={t("shifts.pool")} placeholder={t("shifts.filter")} value={words} onChange={(event) => setWords(event.currentTarget.value)} />
      <ul>
        {found.map((one) => (
          <li key={one.id} draggable onDragStart={(event) => event.dataTransfer.setData("text/x-member", one.id)}>
            <IconGripVertical size={14} aria-hidden />
            <span>
              {one.name}
              <small>{one.on_duty ? t("shifts.poolOnDuty", { role: roleName(rules, one.role) }) : roleName(rules, one.role)}</small>
            </span>
          </li>
        ))}
      </ul>
    </aside>
  );
}
