import { IconBuildingCommunity } from "@tabler/icons-react";
import { t } from "../lib/i18n";
import type { Whose } from "../lib/wire";

/** Who answers for the place, or that it is beyond the city; nothing where nobody has said. */
export function WhoseLine({ of }: { of: Whose }) {
  if (!of.outside && !of.desk) return null;
  return (
    <p className="match-line whose-line">
      <IconBuildingCommunity size={16} aria-hidden />
      {of.outside && <span className="warn-text">{t("whose.outside")}</span>}
      {of.desk && <span>{t("whose.desk", { desk: of.desk })}</span>}
    </p>
  );
}
