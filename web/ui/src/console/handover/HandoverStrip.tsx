import "./handover.css";
import { Button } from "@mantine/core";
import { IconTransfer } from "@tabler/icons-react";
import { hour } from "../../lib/format";
import { waitingFor } from "../../lib/handover";
import { t } from "../../lib/i18n";
import { useSecond } from "../../lib/live";
import { useInPast } from "../../lib/moment";
import { useMay, useSession } from "../../lib/session";
import { desk } from "../desk";
import { useBook } from "./useBook";

/** Somebody handed the shift to whoever sits here, who has not said yet that they have it. */
export function HandoverStrip() {
  const may = useMay("shift.hand_over");
  return may ? <Waiting /> : null;
}

function Waiting() {
  const { person } = useSession();
  const now = useSecond();
  const past = useInPast();
  const page = waitingFor(useBook().data?.handovers ?? [], person.id, now);
  if (!page || past) return null;
  return (
    <div className="handover-strip" role="status">
      <IconTransfer size={17} aria-hidden />
      <span>{t("handover.toYou", { name: page.made_by.name, hour: hour(page.made_at), count: page.content.open })}</span>
      <Button size="compact-sm" variant="default" onClick={() => desk.setState({ sheet: "handover" })}>
        {t("handover.look")}
      </Button>
    </div>
  );
}
