import { ActionIcon, Tooltip } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useStore } from "zustand";
import { t } from "../i18n";
import { tema, toggleTema } from "../theme";

export function ThemeButton() {
  const dark = useStore(tema, (state) => state.tema === "oscuro");
  const label = dark ? t("theme.toLight") : t("theme.toDark");
  return (
    <Tooltip label={label}>
      <ActionIcon className="theme-button" variant="subtle" color="gray" size="md" aria-label={label} onClick={toggleTema}>
        {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  );
}
