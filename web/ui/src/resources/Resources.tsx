import { DeskFrame } from "../lib/ui/DeskFrame";
import { DeskTabs } from "../lib/ui/DeskTabs";
import { Capabilities } from "./Capabilities";
import { Devices } from "./Devices";
import { Facilities } from "./Facilities";
import { Stock } from "./Stock";
import { Track } from "./Track";
import { Units } from "./Units";

const VIEWS = { moviles: Units, capacidades: Capabilities, instalaciones: Facilities, existencias: Stock, dispositivos: Devices, recorrido: Track };

export function Resources() {
  return (
    <DeskFrame desk="recursos">
      <DeskTabs family="resources.views" views={VIEWS} />
    </DeskFrame>
  );
}
