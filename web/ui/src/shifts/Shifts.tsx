import { DeskFrame } from "../lib/ui/DeskFrame";
import { DeskTabs } from "../lib/ui/DeskTabs";
import { Board } from "./Board";
import { OnCall } from "./OnCall";
import { Staff } from "./Staff";
import { Swaps } from "./Swaps";

const VIEWS = { tablero: Board, personal: Staff, cambios: Swaps, guardia: OnCall };

export function Shifts() {
  return (
    <DeskFrame desk="turnos">
      <DeskTabs family="shifts.views" views={VIEWS} />
    </DeskFrame>
  );
}
