import { IconRefresh } from "@tabler/icons-react";
import { useEffect } from "react";
import { useNewer, watchEdition } from "../lib/edition";
import { t } from "../lib/i18n";

/** A newer console is there: quiet, and taken with a click or at the next sign-in. What is being written comes along. */
export function NewEdition() {
  const newer = useNewer();
  useEffect(watchEdition, []);
  if (!newer) return null;
  return (
    <button type="button" className="new-edition" title={t("top.newEditionHint")} onClick={() => location.reload()}>
      <IconRefresh size={15} aria-hidden /> {t("top.newEdition")}
    </button>
  );
}
