import { DeskFrame } from "../lib/ui/DeskFrame";
import { DeskTabs } from "../lib/ui/DeskTabs";
import { Cards } from "./Cards";
import { Coverage } from "./Coverage";
import { StormPolicy } from "./StormPolicy";
import { Watchdogs } from "./Watchdogs";

const VIEWS = { tarjetas: Cards, cobertura: Coverage, vigilancia: Watchdogs, tormenta: StormPolicy };

export function RunCards() {
  return (
    <DeskFrame desk="tarjetas">
      <DeskTabs family="runCards.views" views={VIEWS} />
    </DeskFrame>
  );
}
