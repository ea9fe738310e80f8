import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { isGrave } from "../../lib/alarms";
import { t } from "../../lib/i18n";
import { board, useKinds } from "../../lib/live";
import { isUnacknowledged } from "../../lib/queue";
import { NARROW } from "./DeskGrid";

/** On a telephone what the room must know is one line with a count until somebody opens it; a grave alarm stands for itself. */
export function StripFold({ children }: { children: ReactNode }) {
  useKinds("alarm", "incident", "storm", "major", "move_up");
  const narrow = useMediaQuery(NARROW, matchMedia(NARROW).matches);
  const [open, setOpen] = useState(false);
  const raised = board.alarms().filter(({ state }) => state === "raised");
  const unheard = board.incidents().filter((incident) => !incident.masked && incident.priority === 1 && isUnacknowledged(incident)).length;
  const grave = raised.filter(isGrave).length + unheard;
  const count = unheard + raised.length + board.majors().length + board.moveUps().length + (board.storm() ? 1 : 0);
  if (!narrow || count < 2) return children;
  return (
    <>
      <button type="button" className="strip-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>{t("layout.strips", { count })}</span>
        {grave > 0 && <strong>{t("layout.grave", { count: grave })}</strong>}
        {open ? <IconChevronUp size={18} aria-hidden /> : <IconChevronDown size={18} aria-hidden />}
      </button>
      <div className="strip-fold-body" hidden={!open}>
        {children}
      </div>
    </>
  );
}
