import { useMediaQuery } from "@mantine/hooks";
import { flushSync } from "react-dom";
import { useKey } from "../../lib/keys";
import { useMay } from "../../lib/session";
import { Fence } from "../../lib/ui/Fence";
import { desk, useDesk } from "../desk";
import { RadioLog } from "../RadioLog";
import { UnitStrip } from "../UnitStrip";
import { toggleFoot } from "./arrangement";
import { NARROW } from "./DeskGrid";

/** Units and the radio, under everything; F8 puts them away and brings them back. */
export function DeskFoot() {
  const foot = useDesk((state) => state.foot);
  const narrow = useMediaQuery(NARROW, matchMedia(NARROW).matches);
  const mayLog = useMay("radio.log");
  const goTo = (what: string) => {
    flushSync(() => {
      if (!desk.getState().foot) toggleFoot();
      desk.setState({ pane: "units" });
    });
    document.querySelector<HTMLElement>(what)?.focus();
  };
  useKey("u", () => goTo(".unit-strip [data-first]"));
  useKey("r", () => goTo(".radio-line input"), mayLog);
  if (!foot && !narrow) return null;
  // On a telephone one writes first and looks at the long list of units afterwards.
  const log = (
    <Fence>
      <RadioLog />
    </Fence>
  );
  return (
    <div className="desk-foot">
      {narrow && log}
      <Fence>
        <UnitStrip />
      </Fence>
      {!narrow && log}
    </div>
  );
}
