import { Wall } from "./Wall";
import { WallGate } from "./WallGate";

/** What is behind `/pared`. */
export function WallScreen() {
  return (
    <WallGate>
      <Wall />
    </WallGate>
  );
}
